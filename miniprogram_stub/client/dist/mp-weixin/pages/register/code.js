"use strict";const e=/^(?:.*\/JOIN\/)?([0-9A-Z]{2,12})$/;exports.codeIn=function(t){var n,r;return null!=(r=null==(n=e.exec(t.trim().toUpperCase()))?void 0:n[1])?r:""};
