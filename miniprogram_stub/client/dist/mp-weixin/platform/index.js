"use strict";let e;e=require("./weixin.js").weixin;const{nameInput:t,platform:r,readyPage:a}=e;exports.nameInput=t,exports.platform=r,exports.readyPage=a;
