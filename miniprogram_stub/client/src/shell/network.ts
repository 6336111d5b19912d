import { ref } from 'vue'

/** Whether the device says that it has a network. It may be wrong; what a request says counts more. */
export const isOnline = ref(true)

/** Follow the device. To be called once, by the app. */
export function followNetwork(): void {
  uni.getNetworkType({ success: ({ networkType }) => (isOnline.value = networkType !== 'none') })
  uni.onNetworkStatusChange(({ isConnected }) => (isOnline.value = isConnected))
  // #ifdef H5
  // Browsers that tell of a connection's kind do not tell of its end in the same way.
  addEventListener('online', () => (isOnline.value = true))
  addEventListener('offline', () => (isOnline.value = false))
  // #endif
}
