"use strict";async function alone(work){await work()}exports.alone=alone;
