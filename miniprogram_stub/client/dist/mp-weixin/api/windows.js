"use strict";exports.alone=async function(t){await t()};
