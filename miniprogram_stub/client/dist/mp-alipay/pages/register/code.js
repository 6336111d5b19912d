"use strict";const CODE=/^(?:.*\/JOIN\/)?([0-9A-Z]{2,12})$/;function codeIn(text){var _a,_b;return(_b=(_a=CODE.exec(text.trim().toUpperCase()))==null?void 0:_a[1])!=null?_b:""}exports.codeIn=codeIn;
