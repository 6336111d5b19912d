"use strict";const _imports_0="/static/logo.png";exports._imports_0=_imports_0;
