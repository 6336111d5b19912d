import { tabBar } from '@/pages.json'
import { language } from '@/shell/language'
import { isDark } from '@/shell/look'
import { t } from '@/shell/texts'

const NAMES = tabBar.list.map(({ pagePath }) => `tab.${pagePath.split('/')[1]}`)

/** The tab bar in the language and the colours of now. The platform draws it, and only where it is shown. */
export function nameTabs(): void {
  const fail = () => undefined
  NAMES.forEach((name, index) => uni.setTabBarItem({ index, text: t(name), fail }))
  uni.setTabBarStyle(
    isDark.value
      ? { color: '#9fb0ad', selectedColor: '#6fd0c5', backgroundColor: '#17211f', borderStyle: 'black', fail }
      : { color: '#566562', selectedColor: '#0b655e', backgroundColor: '#ffffff', borderStyle: 'white', fail },
  )
  // #ifdef H5
  document.documentElement.lang = language.value === 'zh' ? 'zh-CN' : 'en'
  // #endif
}
