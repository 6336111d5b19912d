// What both mini-program platforms do alike, by the framework's own names.

export function scanned(): Promise<string | null> {
  return new Promise((answered) => {
    uni.scanCode({ success: ({ result }) => answered(result), fail: () => answered(null) })
  })
}

export function located(): Promise<{ latitude: number; longitude: number } | null> {
  return new Promise((answered) => {
    uni.getLocation({
      type: 'gcj02',
      success: ({ latitude, longitude }) => answered({ latitude, longitude }),
      fail: () => answered(null),
    })
  })
}

export function saved(url: string): Promise<boolean> {
  return new Promise((answered) => {
    uni.downloadFile({
      url,
      success: ({ tempFilePath }) => uni.saveImageToPhotosAlbum({
        filePath: tempFilePath, success: () => answered(true), fail: () => answered(false),
      }),
      fail: () => answered(false),
    })
  })
}

export function copied(text: string): Promise<void> {
  return new Promise((answered, failed) => {
    uni.setClipboardData({ data: text, success: () => answered(), fail: failed })
  })
}
