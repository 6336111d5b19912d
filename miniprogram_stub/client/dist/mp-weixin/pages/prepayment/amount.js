"use strict";const n=/^(\d{1,6})(?:[.。](\d{1,2}))?$/;exports.fenOf=function(t){var e;const r=n.exec(t.trim());return r?Number(r[1]+(null!=(e=r[2])?e:"").padEnd(2,"0")):0};
