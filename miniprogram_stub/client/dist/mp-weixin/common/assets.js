"use strict";exports._imports_0="/static/logo.png";
