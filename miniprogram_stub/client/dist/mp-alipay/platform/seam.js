"use strict";function named(parameters){return Object.fromEntries(parameters.map(({name:name,value:value})=>[name,value]))}exports.named=named;
