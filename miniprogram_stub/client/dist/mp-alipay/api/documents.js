"use strict";function idOf(document){return document.__meta__.hash}exports.idOf=idOf;
