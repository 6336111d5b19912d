import { createSSRApp } from 'vue'
import App from '@/App.vue'
import { texts } from '@/shell/texts'
import '@/styles/theme.css'
import '@/styles/screens.css'

export function createApp() {
  const app = createSSRApp(App)
  app.use(texts)
  return { app }
}
