// A reader sees a bright screen sooner. A browser has no say in it.

// #ifndef H5
let before = -1
// #endif

/** As bright as it gets, until `dim`. */
export function brighten(): void {
  // #ifndef H5
  uni.getScreenBrightness({
    success: ({ value }) => {
      before = value
      uni.setScreenBrightness({ value: 1, fail: () => undefined })
    },
    fail: () => undefined,
  })
  uni.setKeepScreenOn({ keepScreenOn: true, fail: () => undefined })
  // #endif
}

/** As it was. */
export function dim(): void {
  // #ifndef H5
  if (before >= 0) uni.setScreenBrightness({ value: before, fail: () => undefined })
  before = -1
  uni.setKeepScreenOn({ keepScreenOn: false, fail: () => undefined })
  // #endif
}
