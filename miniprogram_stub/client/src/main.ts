import { createSSRApp } from 'vue'
import App from '@/App.vue'
import '@/styles/theme.css'
import '@/styles/screens.css'

export function createApp() {
  return { app: createSSRApp(App) }
}
