import { ref } from 'vue'

/** Whether the device says that it has a network. It may be wrong; what a request says counts more. */
export const isOnline = ref(true)

/** Follow the device. To be called once, by the app. */
export function followNetwork(): void {
  uni.getNetworkType({ success: ({ networkType }) => (isOnline.value = networkType !== 'none') })
  uni.onNetworkStatusChange(({ isConnected }) => (isOnline.value = isConnected))
}
