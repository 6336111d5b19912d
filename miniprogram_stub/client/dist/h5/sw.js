const RELEASE = "d590e9fef93c90de"
const PAGE = "77fae0e45ec15de1f2f46cf78dc8303aec526498b82f53c45dd1248d19b5b20b"
const FILES = ["assets/AppChoice.vue_vue_type_script_setup_true_lang.BqsYuRcW.js","assets/BarRow-BJNirObG.css","assets/BarRow.Bm8u5ehs.js","assets/ConsentCard.vue_vue_type_script_setup_true_lang.a18h9j1u.js","assets/EndlessList-DhIMss2W.css","assets/EndlessList.Dlc_kdSp.js","assets/HouseChooser.vue_vue_type_script_setup_true_lang.Y9VPcY4j.js","assets/LinkShare-Dm7iFifC.css","assets/LinkShare.CqDC8s1l.js","assets/MonthText.vue_vue_type_script_setup_true_lang.BTbNLQYK.js","assets/OptionPicker-DO_vKyK8.css","assets/OptionPicker.DPlaS9-D.js","assets/PassageLine.vue_vue_type_script_setup_true_lang.DM_XY-vU.js","assets/PaySheet-C7vm1z05.css","assets/PaySheet.vue_vue_type_script_setup_true_lang.CnHk4NRs.js","assets/QrPicture-kqWPmyaE.css","assets/QrPicture.C_jbpicx.js","assets/account-Bt49HiD1.css","assets/bills-DWb8HeUx.css","assets/consents.DRpVk37l.js","assets/doors-BN9_f7xM.css","assets/home-DgVZUsqi.css","assets/home.B5j3dc2T.js","assets/inbox-ufAQAMS5.css","assets/index-Ddz7QL9A.css","assets/index-e3H53Lym.js","assets/invite-BnCqhBms.css","assets/meter-BYjOqtBl.css","assets/meters-DUDRNsIL.css","assets/notifications-BbxWhmTR.css","assets/pages-account-account.DXvM4wqf.js","assets/pages-bill-bill.B8B1gg2O.js","assets/pages-bills-bills.B708QBpM.js","assets/pages-books-books.CwUyXv23.js","assets/pages-code-code.woESS8Ql.js","assets/pages-devices-devices.CiIPIq2j.js","assets/pages-doors-doors.CODqoFIS.js","assets/pages-household-household.DlhIDgCz.js","assets/pages-inbox-inbox.f9wnRdVD.js","assets/pages-invitations-invitations.37IqV9Na.js","assets/pages-invite-invite.D6hmFtYu.js","assets/pages-meter-meter.eG9Gd_Av.js","assets/pages-meters-meters.DVWDFY2h.js","assets/pages-notifications-notifications.DYhrPO-5.js","assets/pages-passages-passages.DQi0Hnkk.js","assets/pages-payment-payment.X-uKg2BU.js","assets/pages-payments-payments.BDz0c76x.js","assets/pages-prepayment-prepayment.DXqtxi0r.js","assets/pages-privacy-privacy.D_BYNrVW.js","assets/pages-register-register.Th_8r4lb.js","assets/pages-registrations-registrations.B2K_-__M.js","assets/pages-regulars-regulars.BluCIXnI.js","assets/pages-sign-in-sign-in.CFghHR2Z.js","assets/pages-vehicles-vehicles.DohbdOK6.js","assets/pages-visit-visit.Bx4tCGHm.js","assets/pages-visitors-visitors.Rl_-Xswn.js","assets/papers.DsWj7aXN.js","assets/paying.CByzKLb9.js","assets/payment-n3wH4-8d.css","assets/prepayment-D-mqFt4F.css","assets/privacy-KAriNEUW.css","assets/register.B8aOnnxv.js","assets/registrations-Br6x9_bJ.css","assets/regulars-Bm3LKBEs.css","assets/sign-in-sZ8eGR7p.css","assets/stage.CLjpSQiH.js","assets/uni.327be533.css","assets/visit-fIFusaS2.css","assets/visitors-DRnQ5kKG.css","assets/watching._HrFYRnj.js","assets/window.B00neKyk.js","static/logo.png","static/logo.svg","static/tabs/account-here.png","static/tabs/account.png","static/tabs/bills-here.png","static/tabs/bills.png","static/tabs/doors-here.png","static/tabs/doors.png","static/tabs/home-here.png","static/tabs/home.png","static/tabs/visitors-here.png","static/tabs/visitors.png"]
// Keeps one release of the program whole: the page, and every file that it may come to need. The build writes RELEASE, PAGE
// and FILES above. Nothing else is ever kept or answered here: no answer of the server's, nothing that is anybody's.
'use strict'

const CACHE = `linli-app-${RELEASE}`
// Windows that are open go on with the release that they began with: its files stay until two more have come.
const MOST_RELEASES = 3
const HERE = new URL('./', location.href)

addEventListener('install', (event) => {
  skipWaiting()
  event.waitUntil(kept())
  shortcuts(event)
})
addEventListener('activate', (event) => event.waitUntil(taken()))
addEventListener('fetch', (event) => {
  const { method, mode, url } = event.request
  const { origin, pathname } = new URL(url)
  if (method !== 'GET' || origin !== location.origin || !pathname.startsWith(HERE.pathname)) return
  const name = pathname.slice(HERE.pathname.length)
  if (mode === 'navigate' && name === '') event.respondWith(answered(event.request, HERE.href, CACHE))
  else if (/^(assets|static)\//.test(name)) event.respondWith(answered(event.request, url))
})

/** All of the release or nothing: what fails here leaves things as they were. */
async function kept() {
  await caches.delete(CACHE)
  const cache = await caches.open(CACHE)
  try {
    const page = await fetch(HERE, { cache: 'no-cache' })
    // Of several servers one may have the next release already.
    if ((await digest(page.clone())) !== PAGE) throw new Error('the page is that of another release')
    await Promise.all([cache.put(HERE, page), cache.addAll(FILES.map((name) => new URL(name, HERE)))])
  } catch (failure) {
    await caches.delete(CACHE)
    throw failure
  }
}

async function digest(answer) {
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', await answer.arrayBuffer()))
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

async function taken() {
  const releases = (await caches.keys()).filter((name) => name.startsWith('linli-app-'))
  await Promise.all(releases.slice(0, -MOST_RELEASES).map((name) => caches.delete(name)))
  await clients.claim()
}

async function answered(request, address, cacheName) {
  return (await caches.match(address, { cacheName, ignoreVary: true })) ?? fetch(request)
}

/** Where the browser can: what this worker would answer, and what is not its business, without waking it. */
function shortcuts(event) {
  if (!event.addRoutes) return
  const path = HERE.pathname
  event.addRoutes([
    { condition: { urlPattern: new URLPattern({ pathname: `${path}(assets|static)/*` }), requestMethod: 'GET' }, source: 'cache' },
    { condition: { urlPattern: new URLPattern({ pathname: path, search: '' }), requestMode: 'navigate' }, source: { cacheName: CACHE } },
    { condition: { not: { urlPattern: new URLPattern({ pathname: `${path}*` }) } }, source: 'network' },
  ]).catch(() => undefined)
}
