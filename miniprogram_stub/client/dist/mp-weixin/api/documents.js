"use strict";exports.idOf=function(t){return t.__meta__.hash};
