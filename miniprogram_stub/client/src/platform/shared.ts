// What both mini-program platforms do alike, by the framework's own names.
import type { Paper, Picture } from '@/platform/seam'

export function scanned(): Promise<string | null> {
  return new Promise((answered) => {
    uni.scanCode({ success: ({ result }) => answered(result), fail: () => answered(null) })
  })
}

export function pictured(): Promise<Picture | null> {
  return new Promise((answered) => {
    uni.chooseImage({
      count: 1,
      sizeType: ['compressed'],
      success: ({ tempFilePaths }) => answered({ path: tempFilePaths[0]! }),
      fail: () => answered(null),
    })
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
    const fail = () => answered(false)
    const keep = (filePath: string) => uni.saveImageToPhotosAlbum({ filePath, success: () => answered(true), fail })
    if (!url.startsWith('data:')) return uni.downloadFile({ url, success: ({ tempFilePath }) => keep(tempFilePath), fail })
    // Both platforms have it; the framework's types do not.
    const { USER_DATA_PATH } = (uni as unknown as { env: { USER_DATA_PATH: string } }).env
    const filePath = `${USER_DATA_PATH}/code.png`
    const data = url.slice(url.indexOf(',') + 1)
    uni.getFileSystemManager().writeFile({ filePath, data, encoding: 'base64', success: () => keep(filePath), fail })
  })
}

export function opened({ url, token }: Paper): Promise<boolean> {
  return new Promise((answered) => {
    const fail = () => answered(false)
    uni.downloadFile({
      url,
      header: { Authorization: `Bearer ${token}` },
      success: ({ statusCode, tempFilePath }) => {
        if (statusCode !== 200) return fail()
        uni.openDocument({ filePath: tempFilePath, fileType: 'pdf', success: () => answered(true), fail })
      },
      fail,
    })
  })
}

export function copied(text: string): Promise<void> {
  return new Promise((answered, failed) => {
    uni.setClipboardData({ data: text, success: () => answered(), fail: failed })
  })
}
