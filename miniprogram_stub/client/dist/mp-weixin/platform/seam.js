"use strict";exports.named=function(e){return Object.fromEntries(e.map(({name:e,value:t})=>[e,t]))};
