/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { Code as ErrorCode } from '@/api/failure';
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** Which invitation to take up. */
export type AcceptInvitationInput =
  {   /** The code in the link. */
  code: string; invitation?: never; }
  |  { code?: never;   /** Its id from `viewer.invitations`. */
  invitation: string | number; };

/** Which way somebody went (进出方向). */
export type AccessDirection =
  /** 进 */
  | 'IN'
  /** 出 */
  | 'OUT'
  /** 未知: the door leads both ways */
  | 'UNKNOWN';

/** How a door may be opened (通行方式). New values may appear: keep a default branch. */
export type AccessMethod =
  /** 手机开门 */
  | 'APP'
  /** 二维码 */
  | 'QR'
  /** 数字码 */
  | 'CODE'
  /** 刷卡 */
  | 'CARD'
  /** 人脸 */
  | 'FACE'
  /** 可视对讲 */
  | 'CALL'
  /** 车牌识别 */
  | 'PLATE'
  /** 保安放行 */
  | 'GUARD'
  /** 出门按钮 */
  | 'BUTTON'
  /** 消防联动 */
  | 'FIRE'
  /** 远程开门 */
  | 'REMOTE'
  /** 其他 */
  | 'OTHER';

/** What came of an attempt (通行结果). */
export type AccessResult =
  /** 已通行 */
  | 'OPENED'
  /** 未通行, for a reason */
  | 'REFUSED'
  /** 结果不明: the door has not answered */
  | 'UNKNOWN';

/** What `my.getPhoneNumber` gave: its `response` and `sign`. */
export type AlipayPhoneInput = {
  /** The ciphertext, base64. */
  response: string;
  /** Alipay's signature over it, base64. */
  sign: string;
};

/** How far the platform is with it (渠道状态). */
export type AttemptState =
  /** 正在下单 */
  | 'CREATED'
  /** 等待付款: hand `clientParameters` to the platform */
  | 'PREPARED'
  /** 结果未知: the platform did not answer and is asked again */
  | 'UNKNOWN'
  /** 已收款 */
  | 'SUCCEEDED'
  /** 已关闭 */
  | 'CLOSED'
  /** 未受理 */
  | 'FAILED';

/** What a line is (明细类别). */
export type BillLineKind =
  /** 收费 */
  | 'CHARGE'
  /** 调整 */
  | 'ADJUSTMENT';

/** Which part of a bill (账单部分). */
export type BillPart =
  /** 本金 */
  | 'PRINCIPAL'
  /** 滞纳金 */
  | 'LATE_FEE';

/** How far a bill is (账单状态). New values may appear: keep a default branch. */
export type BillState =
  /** 待缴 */
  | 'OPEN'
  /** 部分缴纳 */
  | 'PARTLY_PAID'
  /** 已缴清 */
  | 'PAID'
  /** 已作废 */
  | 'VOID';

/** In which capacity somebody belongs to a house (与房屋关系). */
export type Capacity =
  /** 业主 */
  | 'OWNER'
  /** 家属 */
  | 'FAMILY'
  /** 租户 */
  | 'TENANT';

/** What is corrected, and how (更正方式). */
export type CorrectionKind =
  /** 减免 */
  | 'WAIVER'
  /** 调整 */
  | 'ADJUSTMENT'
  /** 作废 */
  | 'VOID';

/** A guest who comes every week. */
export type CreatePassTemplateInput = {
  /** Made by the client for this template: the same key makes it once. */
  idempotencyKey: string;
  /** The house of the caller that is visited. */
  house: string | number;
  /** Name of the guest. */
  name: string;
  /** Mobile number. */
  phone?: string | null | undefined;
  /** Days of the week, at most 7; Monday is 1, Sunday 7. */
  weekdays: Array<number>;
  /** Begin, in minutes of the day in Asia/Shanghai: 540 is 9:00. */
  fromMinute: number;
  /** End, likewise, on the same day; at most 1440. */
  untilMinute: number;
  /** The last day, within a year. */
  untilOn: string;
  /** How many times each pass opens. */
  uses?: number;
  /** Number plate, if they come by car. */
  plate?: string;
  /** How many come along, up to 50. */
  companions?: number;
  /** What for. */
  purpose?: VisitPurpose;
  /** Words that the guest reads on the page. */
  message?: string;
};

/** A guest, and when they come. */
export type CreateVisitorPassInput = {
  /** Made by the client for this pass: the same key makes it once. */
  idempotencyKey: string;
  /** The house of the caller that is visited. */
  house: string | number;
  /** Name of the guest. */
  name: string;
  /** Mobile number, by whose last four digits a guard finds the pass. */
  phone?: string | null | undefined;
  /** An earlier pass of the caller whose phone is the guest's, from `frequentGuests`. */
  phoneOf?: string | number | null | undefined;
  /** By default now. */
  startsAt?: string | null | undefined;
  /** By default two hours later; at most what `accessRules` allows. */
  endsAt?: string | null | undefined;
  /** How many times it opens; at most what `accessRules` allows. */
  uses?: number;
  /** Only these of `visitorDoors`, at most 16; by default all of them, also later ones. */
  doors?: Array<string | number> | null | undefined;
  /** The one door that counts uses while it has no network. Without it, a gate that is cut off cannot know of uses at other gates. */
  offlineDoor?: string | number | null | undefined;
  /** Number plate, if they come by car. */
  plate?: string;
  /** How many come along, up to 50. */
  companions?: number;
  /** What for. */
  purpose?: VisitPurpose;
  /** Words that the guest reads on the page, up to 200 characters. */
  message?: string;
};

/** A decision on what a visitor asks for. */
export type DecideVisitorPassInput = {
  /** Its id. */
  visitorPass: string | number;
  /** Whether to let the visitor in. */
  approve: boolean;
  /** Why not, up to 200 characters, for the visitor to read; needed from a guard. */
  reason?: string;
};

/** An identity document (证件). */
export type DocumentInput = {
  /** What it is. */
  kind?: DocumentKind;
  /** Its number. */
  number: string;
};

/** Kind of identity document (证件类型). */
export type DocumentKind =
  /** 居民身份证 */
  | 'RESIDENT_ID'
  /** 护照 */
  | 'PASSPORT'
  /** 港澳居民来往内地通行证 */
  | 'HK_MACAO_PERMIT'
  /** 台湾居民来往大陆通行证 */
  | 'TAIWAN_PERMIT'
  /** 港澳台居民居住证 */
  | 'HMT_RESIDENCE_PERMIT'
  /** 外国人永久居留身份证 */
  | 'FOREIGNER_RESIDENCE_CARD'
  /** 户口簿 */
  | 'HOUSEHOLD_REGISTER'
  /** 其他 */
  | 'OTHER';

/** How far an order to a door is (指令状态). */
export type DoorCommandState =
  /** 已提交: about to be sent */
  | 'REQUESTED'
  /** 已下发: the controller has not answered yet */
  | 'SENT'
  /** 已执行: the controller says so */
  | 'OPENED'
  /** 未执行: see `reason` */
  | 'REFUSED'
  /** 已过期: nothing was done, and nothing will be */
  | 'EXPIRED'
  /** 结果未知: it may have been carried out, look at the door */
  | 'UNKNOWN';

/** What kind of door it is (门禁类型). */
export type DoorKind =
  /** 小区人行出入口 */
  | 'GATE'
  /** 车辆出入口 */
  | 'VEHICLE_GATE'
  /** 单元门 */
  | 'UNIT_DOOR'
  /** 公共设施, such as a gym or a bicycle shed */
  | 'FACILITY';

/** How a door is held (门的模式). */
export type DoorMode =
  /** 正常: opened one by one */
  | 'NORMAL'
  /** 常开: it stands open */
  | 'HELD_OPEN'
  /** 常闭: nobody opens it by phone or code */
  | 'CLOSED';

/** Which occupancy ends, and why. */
export type EndOccupancyInput = {
  /** Its id. */
  occupancy: string | number;
  /** Why, up to 100 characters; the people concerned read it. */
  reason: string;
};

/** The template to end. */
export type EndPassTemplateInput = {
  /** Its id. */
  passTemplate: string | number;
};

export { ErrorCode };

/** What a compound spends on (支出类别). New values may appear: keep a default branch. */
export type ExpenseCategory =
  /** 人员工资 */
  | 'STAFF'
  /** 清洁卫生 */
  | 'CLEANING'
  /** 绿化养护 */
  | 'GREENING'
  /** 秩序维护 */
  | 'SECURITY'
  /** 维修养护 */
  | 'REPAIR'
  /** 公共能耗 */
  | 'ENERGY'
  /** 电梯维保 */
  | 'LIFT'
  /** 公众责任保险 */
  | 'INSURANCE'
  /** 办公费用 */
  | 'OFFICE'
  /** 税费 */
  | 'TAX'
  /** 其他 */
  | 'OTHER';

/** What a fee is for (费用类别). New values may appear: keep a default branch. */
export type FeeCategory =
  /** 物业费 */
  | 'PROPERTY'
  /** 停车费 */
  | 'PARKING'
  /** 水费 */
  | 'WATER'
  /** 热水费 */
  | 'HOT_WATER'
  /** 电费 */
  | 'ELECTRICITY'
  /** 燃气费 */
  | 'GAS'
  /** 取暖费 */
  | 'HEATING'
  /** 公摊费 */
  | 'SHARED'
  /** 垃圾费 */
  | 'WASTE'
  /** 押金 */
  | 'DEPOSIT'
  /** 其他 */
  | 'OTHER';

/** What the platform's dialogue answered. */
export type GrantSubscribeMessagesInput = {
  /** Where it was asked. */
  platform: SubscribePlatform;
  /** The answers, at most 3. */
  results: Array<SubscribeResult>;
  /** Made by the client for each dialogue: the same one again counts once. */
  idempotencyKey: string;
};

/** Which money of a house (款项类别). */
export type HouseMoney =
  /** 预存款 */
  | 'PREPAYMENT'
  /** 押金 */
  | 'DEPOSIT';

/** How far an invitation is (邀请状态). */
export type InvitationState =
  /** 待接受 */
  | 'OPEN'
  /** 已接受 */
  | 'ACCEPTED'
  /** 已撤回 */
  | 'WITHDRAWN'
  /** 已过期 */
  | 'EXPIRED';

/** Whom to invite to which house, and as what. */
export type InviteToHouseInput = {
  /** A house the caller owns. */
  house: string | number;
  /** Family or tenant. */
  capacity: InvitedCapacity;
  /** Name of the invited person. */
  name: string;
  /** Mobile number; only the account that verified it can accept. */
  phone: string;
  /** Last day of the lease; for tenants, and needed for them. */
  leaseUntilOn?: string | null | undefined;
};

/** As what somebody can be invited (邀请身份). */
export type InvitedCapacity =
  /** 家属 */
  | 'FAMILY'
  /** 租户 */
  | 'TENANT';

/** The payment to have a receipt of. */
export type IssueReceiptInput = {
  /** Its id: `payment.receipt`, or from a bill's payments. */
  payment: string | number;
};

/** The statement to print. */
export type IssueStatementInput = {
  /** The house. */
  house: string | number;
  /** First day. */
  from: string;
  /** Last day, included; at most three years. */
  until: string;
};

/** Language of messages (语言). */
export type LanguageChoice =
  /** 中文 */
  | 'ZH'
  /** English */
  | 'EN';

/** What was read. */
export type MarkReadInput =
  {   /** These, at most 100; what is not the caller's is passed over. */
  notifications: Array<string | number>; through?: never; }
  |  { notifications?: never;   /** This one and all that are not newer. */
  through: string | number; };

/** What a meter measures (仪表类型). New values may appear: keep a default branch. */
export type MeterKind =
  /** 水表, m³ */
  | 'WATER'
  /** 热水表, m³ */
  | 'HOT_WATER'
  /** 电表, kWh */
  | 'ELECTRICITY'
  /** 燃气表, m³ */
  | 'GAS'
  /** 热量表, kWh */
  | 'HEAT';

/** Why a reading waits for review (读数异常). New values may appear: keep a default branch. */
export type MeterReadingProblem =
  /** 读数小于上次读数 */
  | 'BACKWARDS'
  /** 用量异常,请核对 */
  | 'IMPLAUSIBLE'
  /** 早于已确认的读数 */
  | 'LATE';

/** Who read a meter (读数来源). New values may appear: keep a default branch. */
export type MeterReadingSource =
  /** 采集器 */
  | 'COLLECTOR'
  /** 抄表员 */
  | 'STAFF'
  /** 住户 */
  | 'RESIDENT'
  /** 装表 */
  | 'INSTALL'
  /** 拆表 */
  | 'REMOVAL';

/** How far a reading is (读数状态). */
export type MeterReadingState =
  /** 已确认 */
  | 'ACCEPTED'
  /** 待审核 */
  | 'HELD'
  /** 已驳回 */
  | 'REJECTED';

/** A platform to pay by (支付平台). */
export type OnlineChannel =
  /** 支付宝 */
  | 'ALIPAY'
  /** 微信支付 */
  | 'WECHAT';

/** Where somebody pays (支付场景). */
export type OnlineProduct =
  /** 小程序内 */
  | 'MINI_PROGRAM'
  /** 手机浏览器 */
  | 'H5';

/** The door to open. */
export type OpenDoorInput = {
  /** Its id. */
  door: string | number;
  /** For which of one's houses; the first that the door leads to unless told. */
  house?: string | number | null | undefined;
  /** Made by the client for this tap; sent again it gives the same order and opens nothing. */
  idempotencyKey: string;
};

/** Part of the day in the compound, to greet by (问候时段). */
export type PartOfDay =
  /** 早上, 5–11 点 */
  | 'MORNING'
  /** 中午, 11–13 点 */
  | 'NOON'
  /** 下午, 13–18 点 */
  | 'AFTERNOON'
  /** 晚上, 18–5 点 */
  | 'EVENING';

/** Bills to pay at once. */
export type PayBillsInput = {
  /** 1 to 100 bills of one compound. */
  bills: Array<string | number>;
  /** The platform. */
  channel: OnlineChannel;
  /** Where. */
  product?: OnlineProduct;
  /** Only so much of one bill, where the compound allows it; null for all. */
  partFen?: number | null | undefined;
  /** Made by the client for this tap; sent again it gives the same payment. */
  idempotencyKey: string;
};

/** Ways to pay (支付渠道). New values may appear: keep a default branch. */
export type PaymentChannel =
  /** 支付宝 */
  | 'ALIPAY'
  /** 微信支付 */
  | 'WECHAT'
  /** 预存款 */
  | 'BALANCE'
  /** 现金 */
  | 'CASH'
  /** POS 刷卡 */
  | 'POS'
  /** 银行转账 */
  | 'TRANSFER';

/** A payment that is under way. */
export type PaymentInput = {
  /** Its id. */
  payment: string | number;
};

/** Where it is paid (支付场景). New values may appear: keep a default branch. */
export type PaymentProduct =
  /** 小程序内 */
  | 'MINI_PROGRAM'
  /** 手机浏览器 */
  | 'H5'
  /** 扫码 */
  | 'QR'
  /** 柜台 */
  | 'DESK'
  /** 预存抵扣 */
  | 'BALANCE';

/** How far a payment is (支付状态). New values may appear: keep a default branch. */
export type PaymentState =
  /** 待支付 */
  | 'OPEN'
  /** 已支付 */
  | 'PAID'
  /** 已关闭: nothing was paid, or too little */
  | 'CLOSED'
  /** 已作废: taken back at the desk */
  | 'VOIDED';

/** A way by which notices reach a person outside of the app (消息渠道). */
export type PersonalChannel =
  /** 微信订阅消息 */
  | 'WECHAT'
  /** 支付宝订阅消息 */
  | 'ALIPAY'
  /** 浏览器推送 */
  | 'WEB_PUSH'
  /** 短信 */
  | 'SMS'
  /** 语音电话 */
  | 'VOICE';

/** Colour of a number plate (号牌颜色). */
export type PlateColour =
  /** 蓝牌,小型汽车 */
  | 'BLUE'
  /** 绿牌,新能源汽车 */
  | 'GREEN'
  /** 黄牌,大型汽车、教练车、挂车 */
  | 'YELLOW'
  /** 白牌,警用、军用 */
  | 'WHITE'
  /** 黑牌,使领馆、港澳 */
  | 'BLACK';

/** A refresh token to spend. */
export type RefreshSessionInput = {
  /** The newest refresh token of the session. */
  refreshToken: string;
};

/** How far a refund is (退款状态). New values may appear: keep a default branch. */
export type RefundState =
  /** 待审批 */
  | 'REQUESTED'
  /** 已驳回 */
  | 'REJECTED'
  /** 已通过: about to be sent, or to be handed out at the desk */
  | 'APPROVED'
  /** 处理中: the platform has it */
  | 'SENT'
  /** 已退款 */
  | 'SUCCEEDED'
  /** 退款异常: a person sees to it */
  | 'ABNORMAL'
  /** 已关闭: kept as a prepayment instead, or made by hand at the platform */
  | 'CLOSED';

/** A registration to a house, which is typed as people write it. */
export type RegisterResidentInput = {
  /** The compound's code, scanned or typed. */
  compoundCode: string;
  /** For example 3号楼 or 3. */
  building?: string;
  /** For example 1单元 or 1; empty if there is none. */
  unit?: string;
  /** For example 101, or the whole number: 3-1-101. */
  room: string;
  /** The applicant's name. */
  name: string;
  /** As what. */
  capacity: Capacity;
  /** A document speeds up review. */
  document?: DocumentInput | null | undefined;
  /** Last day of the lease; for tenants, and needed from them. */
  leaseUntilOn?: string | null | undefined;
  /** Note to the reviewer, up to 200 characters. */
  note?: string;
};

/** A vehicle to register. */
export type RegisterVehicleInput = {
  /** The house it belongs to. */
  house: string | number;
  /** Car or e-bike. */
  kind: VehicleKind;
  /** Number plate, for example 浙A12345. */
  plate: string;
  /** Colour of a car's plate; by default what the number's form mostly has. */
  plateColour?: PlateColour | null | undefined;
  /** Brand, up to 40 characters. */
  brand?: string;
  /** Model, up to 40 characters. */
  model?: string;
  /** Colour, up to 20 characters. */
  colour?: string;
};

/** How far a registration is (登记状态). */
export type RegistrationState =
  /** 待审核 */
  | 'PENDING'
  /** 已通过 */
  | 'APPROVED'
  /** 已驳回 */
  | 'REJECTED'
  /** 已撤回 */
  | 'WITHDRAWN';

/** The vehicle to remove. */
export type RemoveVehicleInput = {
  /** Its id. */
  vehicle: string | number;
};

/** Where to send a sign-in code. */
export type RequestSmsCodeInput = {
  /** Mobile number of the mainland, as people write it. */
  phone: string;
};

/** The device to sign out. */
export type RevokeSessionInput = {
  /** Its id from `viewer.sessions`. */
  session: string | number;
};

/** The pass to take back. */
export type RevokeVisitorPassInput = {
  /** Its id. */
  visitorPass: string | number;
  /** Why, up to 200 characters; not shown to the visitor. */
  reason?: string;
};

/** Whether a kind of notices is to come by a channel. */
export type SetNotificationPreferenceInput = {
  /** Name of the kind. */
  kind: string;
  /** The channel. */
  channel: PersonalChannel;
  /** Whether it is to come by it. */
  isOn: boolean;
};

/** Quiet hours; a time that is left out stays as it is. */
export type SetQuietHoursInput = {
  /** Whether they hold. */
  isOn: boolean;
  /** First minute in Asia/Shanghai, such as "22:00". */
  from?: string | null | undefined;
  /** Minute from which they are over, such as "07:00". */
  until?: string | null | undefined;
};

/** Sex as a document states it (性别). */
export type Sex =
  /** 男 */
  | 'MALE'
  /** 女 */
  | 'FEMALE';

/** How somebody signed in (登录方式). */
export type SignInMethod =
  /** 微信 */
  | 'WECHAT'
  /** 支付宝 */
  | 'ALIPAY'
  /** 短信验证码 */
  | 'SMS'
  /** 账号密码 */
  | 'PASSWORD';

/** Sign-in by Alipay (支付宝登录). */
export type SignInWithAlipayInput = {
  /** What `my.getAuthCode` gave; good once. */
  authCode: string;
  /** Proves a number as well. */
  phone?: AlipayPhoneInput | null | undefined;
  /** What to call this device in the list of sessions. */
  device?: string;
};

/** Sign-in by a code that was sent (验证码登录). */
export type SignInWithSmsInput = {
  /** The number it was sent to. */
  phone: string;
  /** Six digits, good once, for five minutes and five tries. */
  code: string;
  /** What to call this device in the list of sessions. */
  device?: string;
};

/** Sign-in by WeChat (微信登录). */
export type SignInWithWeChatInput = {
  /** What `wx.login` gave; good once, for five minutes. */
  jsCode: string;
  /** What the phone number button gave (手机号快速验证); proves the number as well. */
  phoneCode?: string | null | undefined;
  /** What to call this device in the list of sessions. */
  device?: string;
};

/** A resident's reading of a meter of the own house. */
export type SubmitMeterReadingInput = {
  /** Made by the client for this reading: the same key keeps it once. */
  idempotencyKey: string;
  /** The meter, from `viewer.meters`. */
  meter: string | number;
  /** As the register shows it now. */
  value: string;
  /** A JPEG, PNG or WebP picture of the register, at most 5 MB. */
  photo?: never | null | undefined;
};

/** What the platform's dialogue answered about a template (订阅结果). */
export type SubscribeOutcome =
  /** 同意 */
  | 'ACCEPT'
  /** 拒绝 */
  | 'REJECT'
  /** 模板已被平台封禁 */
  | 'BAN'
  /** 因标题重复被平台过滤 */
  | 'FILTER';

/** A platform whose messages need consents (小程序平台). */
export type SubscribePlatform =
  /** 微信 */
  | 'WECHAT'
  /** 支付宝 */
  | 'ALIPAY';

/** What was answered about one template. */
export type SubscribeResult = {
  /** The platform's id of the template. */
  template: string;
  /** The answer. */
  outcome: SubscribeOutcome;
};

/** Money to pay ahead (预存充值). */
export type TopUpAccountInput = {
  /** One of the caller's houses. */
  house: string | number;
  /** How much, 1 to 5,000,000 fen. */
  amountFen: number;
  /** It pays only bills of this; null for any. */
  purpose?: FeeCategory | null | undefined;
  /** The platform. */
  channel: OnlineChannel;
  /** Where. */
  product?: OnlineProduct;
  /** Made by the client for this tap; sent again it gives the same payment. */
  idempotencyKey: string;
};

/** What to change of the caller's own profile; what is left out stays. */
export type UpdateProfileInput = {
  /** Name, 2 to 50 characters; residents only. */
  name?: string | null | undefined;
  /** Language of messages. */
  language?: LanguageChoice | null | undefined;
};

/** How far a notice may intrude (紧急程度). */
export type Urgency =
  /** 不急,汇总后告知 */
  | 'LOW'
  /** 一般,避开免打扰时段 */
  | 'NORMAL'
  /** 重要,不受免打扰限制 */
  | 'HIGH'
  /** 紧急,通过所有渠道立即告知 */
  | 'URGENT';

/** What is wrong with a vehicle (车辆标记). */
export type VehicleFlag =
  /** 被盗 */
  | 'STOLEN'
  /** 套牌 */
  | 'CLONED';

/** Kind of vehicle (车辆类型). */
export type VehicleKind =
  /** 汽车 */
  | 'CAR'
  /** 电动自行车 */
  | 'EBIKE';

/** What a visitor comes for (来访事由). New values may appear: keep a default branch. */
export type VisitPurpose =
  /** 探访亲友 */
  | 'VISIT'
  /** 快递外卖 */
  | 'DELIVERY'
  /** 上门服务 */
  | 'SERVICE'
  /** 维修施工 */
  | 'REPAIR'
  /** 搬家 */
  | 'MOVING'
  /** 看房 */
  | 'VIEWING'
  /** 护理保健 */
  | 'CARE'
  /** 其他 */
  | 'OTHER';

/** How a pass came to be (来源). */
export type VisitorPassOrigin =
  /** 住户邀请 */
  | 'HOST'
  /** 访客申请 */
  | 'VISITOR'
  /** 门岗登记 */
  | 'GUARD'
  /** 常访模板 */
  | 'TEMPLATE';

/** How far a pass is (通行证状态). New values may appear: keep a default branch. */
export type VisitorPassState =
  /** 待确认 */
  | 'REQUESTED'
  /** 有效 */
  | 'ACTIVE'
  /** 次数已用完 */
  | 'USED_UP'
  /** 已过期 */
  | 'EXPIRED'
  /** 已吊销 */
  | 'REVOKED'
  /** 已拒绝 */
  | 'REJECTED';

/** The invitation to take back. */
export type WithdrawInvitationInput = {
  /** Its id. */
  invitation: string | number;
};

/** The registration to take back. */
export type WithdrawRegistrationInput = {
  /** Its id. */
  registration: string | number;
};

export type AccountQueryVariables = Exact<{ [key: string]: never; }>;


export type AccountQuery = { viewer: { me: { id: string, name: string, phone: string | null, language: LanguageChoice }, houses: Array<{ occupancyId: string, capacity: Capacity, leaseUntilOn: string | null, house: { id: string, number: string }, compound: { id: string, name: string, servicePhone: string } }> } | null };

export type UpdateNameMutationVariables = Exact<{
  input: UpdateProfileInput;
}>;


export type UpdateNameMutation = { updateProfile: { errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }>, me: { id: string, name: string } | null } };

export type UpdateLanguageMutationVariables = Exact<{
  input: UpdateProfileInput;
}>;


export type UpdateLanguageMutation = { updateProfile: { errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }> } };

export type BillQueryVariables = Exact<{
  id: string | number;
}>;


export type BillQuery = { viewer: { eventCursor: string } | null, bill: { number: number, coversFrom: string, coversUntil: string, issuedOn: string, lateFeeExplanation: string, id: string, compound: string, houseNumber: string, month: string, dueOn: string, state: BillState, isOverdue: boolean, isBeingPaid: boolean, principalDueFen: number, lateFeeFen: number, outstandingFen: number, paidAt: string | null, lines: Array<{ id: string, kind: BillLineKind, feeItemName: string, amountFen: number, explanation: string }>, corrections: Array<{ kind: CorrectionKind, concerns: BillPart, effectFen: number, reason: string, decidedAt: string }>, payments: Array<{ payment: string, paidOn: string, principalFen: number, lateFeeFen: number, means: string }> } | null };

export type IssueReceiptMutationVariables = Exact<{
  input: IssueReceiptInput;
}>;


export type IssueReceiptMutation = { issueReceipt: { errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }>, document: { number: string, address: string } | null } };

export type BillsQueryVariables = Exact<{
  first: number;
  after?: string | null | undefined;
}>;


export type BillsQuery = { viewer: { eventCursor: string, due: { nodes: Array<{ lateFeeExplanation: string, id: string, compound: string, houseNumber: string, month: string, dueOn: string, state: BillState, isOverdue: boolean, isBeingPaid: boolean, principalDueFen: number, lateFeeFen: number, outstandingFen: number, paidAt: string | null, lines: Array<{ id: string, feeItemName: string, amountFen: number, explanation: string }> }>, pageInfo: { hasNextPage: boolean } } | null, settled: { nodes: Array<{ id: string, compound: string, houseNumber: string, month: string, dueOn: string, state: BillState, isOverdue: boolean, isBeingPaid: boolean, principalDueFen: number, lateFeeFen: number, outstandingFen: number, paidAt: string | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null, payments: { nodes: Array<{ id: string, title: string, amountFen: number, createdAt: string }> } | null } | null };

export type BillShortFragment = { id: string, compound: string, houseNumber: string, month: string, dueOn: string, state: BillState, isOverdue: boolean, isBeingPaid: boolean, principalDueFen: number, lateFeeFen: number, outstandingFen: number, paidAt: string | null };

export type BooksQueryVariables = Exact<{
  compound?: string | number | null | undefined;
  month?: string | null | undefined;
}>;


export type BooksQuery = { viewer: { houses: Array<{ house: { id: string, number: string }, compound: { id: string, name: string } }>, books: { compound: string, months: Array<{ month: string }>, accounts: { month: string, revision: number, note: string, publishedAt: string, books: { incomeFen: number, spentFen: number, balanceBeforeFen: number, balanceAfterFen: number, openAfterFen: number, monthRate: number | null, wholeRate: number | null, incomes: Array<{ feeItem: string, name: string, collectedFen: number }>, lateFees: { collectedFen: number }, spentOn: Array<{ category: ExpenseCategory, amountFen: number }> } } | null } | null } | null };

export type CodeQueryVariables = Exact<{
  house: string | number;
}>;


export type CodeQuery = { viewer: { houses: Array<{ house: { id: string, number: string }, compound: { name: string } }> } | null, residentCode: { text: string, expiresAt: string } | null };

export type GrantMessagesMutationVariables = Exact<{
  input: GrantSubscribeMessagesInput;
}>;


export type GrantMessagesMutation = { grantSubscribeMessages: { granted: number | null, errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }> } };

export type AskedForFragment = { template: string, label: string, left: number };

export type DevicesQueryVariables = Exact<{ [key: string]: never; }>;


export type DevicesQuery = { viewer: { sessions: Array<{ id: string, method: SignInMethod, device: string, ip: string, createdAt: string, lastSeenAt: string, isCurrent: boolean }> } | null };

export type RevokeSessionMutationVariables = Exact<{
  input: RevokeSessionInput;
}>;


export type RevokeSessionMutation = { revokeSession: { session: string | null, errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }> } };

export type RevokeOtherSessionsMutationVariables = Exact<{ [key: string]: never; }>;


export type RevokeOtherSessionsMutation = { revokeOtherSessions: { ended: number | null, errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }> } };

export type DoorsQueryVariables = Exact<{
  house?: string | number | null | undefined;
}>;


export type DoorsQuery = { viewer: { eventCursor: string, houses: Array<{ occupancyId: string, house: { id: string, number: string }, compound: { id: string, name: string } }>, doors: Array<{ id: string, name: string, kind: DoorKind, methods: Array<AccessMethod>, mode: DoorMode, isReleased: boolean, isOnline: boolean | null, lastUsedAt: string | null, compound: string, building: { name: string } | null, unit: { name: string } | null }>, accessRecords: { nodes: Array<{ id: string, doorName: string, who: string, plate: string, at: string, direction: AccessDirection, method: AccessMethod, result: AccessResult, visitorPass: string | null }> } | null } | null };

export type OpenDoorMutationVariables = Exact<{
  input: OpenDoorInput;
}>;


export type OpenDoorMutation = { openDoor: { errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }>, command: { id: string, state: DoorCommandState, reason: string, message: string | null } | null } };

export type DoorOrderNowQueryVariables = Exact<{
  command: string | number;
}>;


export type DoorOrderNowQuery = { doorCommand: { id: string, state: DoorCommandState, reason: string, message: string | null } | null };

export type DoorOrderChangedSubscriptionVariables = Exact<{
  command: string | number;
}>;


export type DoorOrderChangedSubscription = { doorCommandChanged: { id: string, state: DoorCommandState, reason: string, message: string | null } };

export type DoorOrderFragment = { id: string, state: DoorCommandState, reason: string, message: string | null };

export type HomeQueryVariables = Exact<{ [key: string]: never; }>;


export type HomeQuery = { viewer: { eventCursor: string, home: { greeting: { name: string, partOfDay: PartOfDay, today: string }, houses: Array<{ occupancyId: string, capacity: Capacity, house: { id: string, number: string }, compound: { id: string, name: string, servicePhone: string } }>, cards: Array<
        | { __typename: 'BillsDueCard', count: number, totalFen: number, dueOn: string, key: string }
        | { __typename: 'InvitationCard', key: string, invitation: { id: string, houseNumber: string, compoundName: string, inviterName: string, capacity: Capacity, expiresAt: string } }
        | { __typename: 'LeaseEndingCard', daysLeft: number, key: string, house: { leaseUntilOn: string | null, house: { id: string, number: string } } }
        | { __typename: 'RegisterHouseCard', key: string }
        | { __typename: 'RegistrationPendingCard', key: string, registration: { id: string, place: string, compoundName: string, submittedAt: string } }
        | { __typename: 'RegistrationRejectedCard', key: string, registration: { id: string, place: string, compoundName: string, reason: string | null } }
        | { __typename: 'VisitExpectedCard', key: string, visitorPass: { id: string, state: VisitorPassState, guestName: string, houseNumber: string, companions: number, purpose: VisitPurpose, plate: string, isCarRefused: boolean, startsAt: string, endsAt: string, requestedAt: string, insideSince: string | null } }
        | { __typename: 'VisitRequestedCard', key: string, visitorPass: { id: string, state: VisitorPassState, guestName: string, houseNumber: string, companions: number, purpose: VisitPurpose, plate: string, isCarRefused: boolean, startsAt: string, endsAt: string, requestedAt: string, insideSince: string | null } }
      > } | null, inbox: { unreadCount: number, nodes: Array<{ id: string, title: string, body: string, createdAt: string, urgency: Urgency, link: string }> } } | null };

export type HomeVisitFragment = { id: string, state: VisitorPassState, guestName: string, houseNumber: string, companions: number, purpose: VisitPurpose, plate: string, isCarRefused: boolean, startsAt: string, endsAt: string, requestedAt: string, insideSince: string | null };

export type DecideVisitMutationVariables = Exact<{
  input: DecideVisitorPassInput;
}>;


export type DecideVisitMutation = { decideVisitorPass: { errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }>, visitorPass: { id: string, state: VisitorPassState } | null } };

export type HouseholdQueryVariables = Exact<{ [key: string]: never; }>;


export type HouseholdQuery = { viewer: { houses: Array<{ occupancyId: string, capacity: Capacity, sinceOn: string | null, leaseUntilOn: string | null, house: { id: string, number: string, members: Array<{ id: string, name: string, phone: string | null, capacity: Capacity, relation: string | null, leaseUntilOn: string | null, isMe: boolean }> }, compound: { id: string, name: string, servicePhone: string } }>, sentInvitations: Array<{ id: string, compoundName: string, houseNumber: string, name: string, phone: string, capacity: Capacity, leaseUntilOn: string | null, state: InvitationState, expiresAt: string }> } | null };

export type InviteToHouseMutationVariables = Exact<{
  input: InviteToHouseInput;
}>;


export type InviteToHouseMutation = { inviteToHouse: { code: string | null, errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }>, invitation: { id: string, name: string, houseNumber: string } | null } };

export type WithdrawInvitationMutationVariables = Exact<{
  input: WithdrawInvitationInput;
}>;


export type WithdrawInvitationMutation = { withdrawInvitation: { errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }>, invitation: { id: string, state: InvitationState } | null } };

export type EndOccupancyMutationVariables = Exact<{
  input: EndOccupancyInput;
}>;


export type EndOccupancyMutation = { endOccupancy: { occupancy: string | null, errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }> } };

export type InboxQueryVariables = Exact<{
  first: number;
  after?: string | null | undefined;
}>;


export type InboxQuery = { viewer: { inbox: { unreadCount: number, nodes: Array<{ id: string, label: string, title: string, body: string, urgency: Urgency, link: string, createdAt: string, readAt: string | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } } | null };

export type MarkReadMutationVariables = Exact<{
  input: MarkReadInput;
}>;


export type MarkReadMutation = { markRead: { unreadCount: number | null, errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }> } };

export type InvitationsQueryVariables = Exact<{ [key: string]: never; }>;


export type InvitationsQuery = { viewer: { invitations: Array<{ id: string, compoundName: string, houseNumber: string, inviterName: string, name: string, capacity: Capacity, leaseUntilOn: string | null, createdAt: string, expiresAt: string }> } | null };

export type AcceptInvitationMutationVariables = Exact<{
  input: AcceptInvitationInput;
}>;


export type AcceptInvitationMutation = { acceptInvitation: { errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }>, occupancy: { id: string } | null } };

export type InviteQueryVariables = Exact<{ [key: string]: never; }>;


export type InviteQuery = { viewer: { houses: Array<{ house: { id: string, number: string }, compound: { name: string } }>, frequentGuests: Array<{ visitorPass: string, name: string, phone: string | null, plate: string }> | null } | null };

export type InviteVisitorMutationVariables = Exact<{
  input: CreateVisitorPassInput;
}>;


export type InviteVisitorMutation = { createVisitorPass: { errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }>, visitorPass: { id: string } | null } };

export type ViewerEventsSubscriptionVariables = Exact<{
  after?: string | null | undefined;
}>;


export type ViewerEventsSubscription = { viewerEvents: { cursor: string, name: string, subject: string | null } };

export type MetersQueryVariables = Exact<{ [key: string]: never; }>;


export type MetersQuery = { viewer: { houses: Array<{ house: { id: string, number: string }, compound: { name: string } }>, meters: Array<{ id: string, kind: MeterKind, number: string, houseNumber: string | null, device: string | null, multiplier: string, digits: number, dailyMost: string | null, lastValue: string | null, lastReadAt: string | null, waiting: number, house: { id: string } | null, consumption: Array<{ month: string, units: string }> }> | null } | null };

export type MeterQueryVariables = Exact<{
  id: string | number;
  first: number;
  after?: string | null | undefined;
}>;


export type MeterQuery = { node:
    | { id: string, kind: MeterKind, number: string, houseNumber: string | null, device: string | null, multiplier: string, digits: number, dailyMost: string | null, lastValue: string | null, lastReadAt: string | null, waiting: number, consumption: Array<{ month: string, units: string }> }
    | Record<PropertyKey, never>
   | null, meterReadings: { nodes: Array<{ id: string, readAt: string, value: string, units: string | null, source: MeterReadingSource, state: MeterReadingState, problem: MeterReadingProblem | null, note: string, photo: { contentType: string } | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null };

export type SubmitReadingMutationVariables = Exact<{
  input: SubmitMeterReadingInput;
}>;


export type SubmitReadingMutation = { submitMeterReading: { errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }>, reading: { id: string, value: string, units: string | null, state: MeterReadingState, problem: MeterReadingProblem | null } | null } };

export type MeterShownFragment = { id: string, kind: MeterKind, number: string, houseNumber: string | null, device: string | null, multiplier: string, digits: number, dailyMost: string | null, lastValue: string | null, lastReadAt: string | null, waiting: number, consumption: Array<{ month: string, units: string }> };

export type NotificationSettingsQueryVariables = Exact<{
  platform: SubscribePlatform;
  asks: boolean;
}>;


export type NotificationSettingsQuery = { viewer: { notificationPreferences: { quietHours: { isOn: boolean, from: string, until: string }, kinds: Array<{ kind: string, label: string, purpose: string, isOptional: boolean, channels: Array<{ channel: PersonalChannel, label: string, isOn: boolean, isReachable: boolean }> }> }, subscribeTemplates?: Array<{ template: string, label: string, left: number }> } | null };

export type SetQuietHoursMutationVariables = Exact<{
  input: SetQuietHoursInput;
}>;


export type SetQuietHoursMutation = { setQuietHours: { errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }>, quietHours: { isOn: boolean, from: string, until: string } | null } };

export type SetNotificationPreferenceMutationVariables = Exact<{
  input: SetNotificationPreferenceInput;
}>;


export type SetNotificationPreferenceMutation = { setNotificationPreference: { errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }> } };

export type PassagesQueryVariables = Exact<{
  first: number;
  after?: string | null | undefined;
}>;


export type PassagesQuery = { viewer: { accessRecords: { nodes: Array<{ id: string, doorName: string, who: string, plate: string, at: string, direction: AccessDirection, method: AccessMethod, result: AccessResult, visitorPass: string | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } | null };

export type PassageFragment = { id: string, doorName: string, who: string, plate: string, at: string, direction: AccessDirection, method: AccessMethod, result: AccessResult, visitorPass: string | null };

export type PaymentQueryVariables = Exact<{
  id: string | number;
  asks?: boolean;
  platform?: SubscribePlatform;
}>;


export type PaymentQuery = { payment: { id: string, title: string, amountFen: number, refundedFen: number, state: PaymentState, number: string | null, createdAt: string, expiresAt: string, paidAt: string | null, channel: PaymentChannel, product: PaymentProduct, attemptState: AttemptState, problem: string, receipt: string | null, clientParameters: Array<{ name: string, value: string }> | null, parts: Array<{ part: string, amountFen: number, concerns: BillPart | null, purpose: FeeCategory | null, bill: { id: string, houseNumber: string, month: string } | null }>, refunds: Array<{ id: string, amountFen: number, state: RefundState, requestedAt: string }> } | null, viewer: { subscribeTemplates?: Array<{ template: string, label: string, left: number }> } | null };

export type PayBillsMutationVariables = Exact<{
  input: PayBillsInput;
}>;


export type PayBillsMutation = { payBills: { errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }>, payment: { id: string, title: string, amountFen: number, refundedFen: number, state: PaymentState, number: string | null, createdAt: string, expiresAt: string, paidAt: string | null, channel: PaymentChannel, product: PaymentProduct, attemptState: AttemptState, problem: string, receipt: string | null, clientParameters: Array<{ name: string, value: string }> | null, parts: Array<{ part: string, amountFen: number, concerns: BillPart | null, purpose: FeeCategory | null, bill: { id: string, houseNumber: string, month: string } | null }>, refunds: Array<{ id: string, amountFen: number, state: RefundState, requestedAt: string }> } | null } };

export type ConfirmPaymentHintMutationVariables = Exact<{
  input: PaymentInput;
}>;


export type ConfirmPaymentHintMutation = { confirmPaymentHint: { errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }>, payment: { id: string, title: string, amountFen: number, refundedFen: number, state: PaymentState, number: string | null, createdAt: string, expiresAt: string, paidAt: string | null, channel: PaymentChannel, product: PaymentProduct, attemptState: AttemptState, problem: string, receipt: string | null, clientParameters: Array<{ name: string, value: string }> | null, parts: Array<{ part: string, amountFen: number, concerns: BillPart | null, purpose: FeeCategory | null, bill: { id: string, houseNumber: string, month: string } | null }>, refunds: Array<{ id: string, amountFen: number, state: RefundState, requestedAt: string }> } | null } };

export type CancelPaymentMutationVariables = Exact<{
  input: PaymentInput;
}>;


export type CancelPaymentMutation = { cancelPayment: { errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }>, payment: { id: string, title: string, amountFen: number, refundedFen: number, state: PaymentState, number: string | null, createdAt: string, expiresAt: string, paidAt: string | null, channel: PaymentChannel, product: PaymentProduct, attemptState: AttemptState, problem: string, receipt: string | null, clientParameters: Array<{ name: string, value: string }> | null, parts: Array<{ part: string, amountFen: number, concerns: BillPart | null, purpose: FeeCategory | null, bill: { id: string, houseNumber: string, month: string } | null }>, refunds: Array<{ id: string, amountFen: number, state: RefundState, requestedAt: string }> } | null } };

export type PaymentChangedSubscriptionVariables = Exact<{
  payment: string | number;
}>;


export type PaymentChangedSubscription = { paymentChanged: { id: string, title: string, amountFen: number, refundedFen: number, state: PaymentState, number: string | null, createdAt: string, expiresAt: string, paidAt: string | null, channel: PaymentChannel, product: PaymentProduct, attemptState: AttemptState, problem: string, receipt: string | null, clientParameters: Array<{ name: string, value: string }> | null, parts: Array<{ part: string, amountFen: number, concerns: BillPart | null, purpose: FeeCategory | null, bill: { id: string, houseNumber: string, month: string } | null }>, refunds: Array<{ id: string, amountFen: number, state: RefundState, requestedAt: string }> } };

export type PaymentShownFragment = { id: string, title: string, amountFen: number, refundedFen: number, state: PaymentState, number: string | null, createdAt: string, expiresAt: string, paidAt: string | null, channel: PaymentChannel, product: PaymentProduct, attemptState: AttemptState, problem: string, receipt: string | null, clientParameters: Array<{ name: string, value: string }> | null, parts: Array<{ part: string, amountFen: number, concerns: BillPart | null, purpose: FeeCategory | null, bill: { id: string, houseNumber: string, month: string } | null }>, refunds: Array<{ id: string, amountFen: number, state: RefundState, requestedAt: string }> };

export type PaymentsQueryVariables = Exact<{
  first: number;
  after?: string | null | undefined;
}>;


export type PaymentsQuery = { viewer: { eventCursor: string, payments: { nodes: Array<{ id: string, title: string, amountFen: number, refundedFen: number, state: PaymentState, attemptState: AttemptState, channel: PaymentChannel, createdAt: string, paidAt: string | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } | null };

export type PrepaymentQueryVariables = Exact<{
  house?: string | number | null | undefined;
  first: number;
  after?: string | null | undefined;
}>;


export type PrepaymentQuery = { viewer: { eventCursor: string, houses: Array<{ capacity: Capacity, house: { id: string, number: string }, compound: { id: string, name: string } }>, account: { house: string, houseNumber: string, prepaidFen: number, depositFen: number, prepayments: Array<{ purpose: FeeCategory | null, balanceFen: number }>, movements: { nodes: Array<{ movedOn: string, postedAt: string, account: HouseMoney, amountFen: number, what: string, memo: string }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } } | null } | null };

export type TopUpAccountMutationVariables = Exact<{
  input: TopUpAccountInput;
}>;


export type TopUpAccountMutation = { topUpAccount: { errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }>, payment: { id: string, title: string, amountFen: number, refundedFen: number, state: PaymentState, number: string | null, createdAt: string, expiresAt: string, paidAt: string | null, channel: PaymentChannel, product: PaymentProduct, attemptState: AttemptState, problem: string, receipt: string | null, clientParameters: Array<{ name: string, value: string }> | null, parts: Array<{ part: string, amountFen: number, concerns: BillPart | null, purpose: FeeCategory | null, bill: { id: string, houseNumber: string, month: string } | null }>, refunds: Array<{ id: string, amountFen: number, state: RefundState, requestedAt: string }> } | null } };

export type IssueStatementMutationVariables = Exact<{
  input: IssueStatementInput;
}>;


export type IssueStatementMutation = { issueStatement: { errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }>, document: { number: string, address: string } | null } };

export type PrivacyQueryVariables = Exact<{ [key: string]: never; }>;


export type PrivacyQuery = { viewer: { me: { name: string, phone: string | null, createdAt: string }, profiles: Array<{ id: string, compoundName: string, name: string, phone: string | null, documentKind: DocumentKind | null, documentNumber: string | null, sex: Sex | null, bornOn: string | null, nationality: string, ethnicity: string, nativePlace: string, registeredAddress: string, workUnit: string }>, houses: Array<{ compound: { id: string, name: string, servicePhone: string } }> } | null };

export type CompoundByCodeQueryVariables = Exact<{
  code: string;
}>;


export type CompoundByCodeQuery = { compoundByCode: { name: string, address: string, servicePhone: string, code: string, buildings: Array<{ name: string, units: Array<string> }> } | null };

export type RegisterResidentMutationVariables = Exact<{
  input: RegisterResidentInput;
}>;


export type RegisterResidentMutation = { registerResident: { errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }>, registration: { id: string, state: RegistrationState, place: string, compoundName: string } | null } };

export type RegistrationsQueryVariables = Exact<{
  asks?: boolean;
  platform?: SubscribePlatform;
}>;


export type RegistrationsQuery = { viewer: { subscribeTemplates?: Array<{ template: string, label: string, left: number }>, registrations: Array<{ id: string, compoundName: string, place: string, name: string, capacity: Capacity, state: RegistrationState, submittedAt: string, reviewedAt: string | null, reason: string | null }> } | null };

export type WithdrawRegistrationMutationVariables = Exact<{
  input: WithdrawRegistrationInput;
}>;


export type WithdrawRegistrationMutation = { withdrawRegistration: { errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }>, registration: { id: string, state: RegistrationState } | null } };

export type RegularsQueryVariables = Exact<{ [key: string]: never; }>;


export type RegularsQuery = { viewer: { houses: Array<{ house: { id: string, number: string }, compound: { name: string } }>, passTemplates: Array<{ id: string, guestName: string, houseNumber: string, plate: string, weekdays: Array<number>, fromMinute: number, untilMinute: number, untilOn: string, endedAt: string | null, hostName: string, isMine: boolean, link: string | null }> | null } | null };

export type CreateRegularMutationVariables = Exact<{
  input: CreatePassTemplateInput;
}>;


export type CreateRegularMutation = { createPassTemplate: { errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }>, passTemplate: { id: string } | null } };

export type EndRegularMutationVariables = Exact<{
  input: EndPassTemplateInput;
}>;


export type EndRegularMutation = { endPassTemplate: { errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }>, passTemplate: { id: string } | null } };

export type SignInPagesQueryVariables = Exact<{ [key: string]: never; }>;


export type SignInPagesQuery = { signInPages: { wechat: string | null, alipay: string | null } };

export type RequestSmsCodeMutationVariables = Exact<{
  input: RequestSmsCodeInput;
}>;


export type RequestSmsCodeMutation = { requestSmsCode: { resendAfterS: number | null, errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }> } };

export type SignInWithSmsMutationVariables = Exact<{
  input: SignInWithSmsInput;
}>;


export type SignInWithSmsMutation = { signInWithSms: { errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }>, credentials: { accessToken: string, accessExpiresAt: string, refreshToken: string } | null } };

export type SignInWithWeChatMutationVariables = Exact<{
  input: SignInWithWeChatInput;
}>;


export type SignInWithWeChatMutation = { signInWithWeChat: { errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }>, credentials: { accessToken: string, accessExpiresAt: string, refreshToken: string } | null } };

export type SignInWithAlipayMutationVariables = Exact<{
  input: SignInWithAlipayInput;
}>;


export type SignInWithAlipayMutation = { signInWithAlipay: { errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }>, credentials: { accessToken: string, accessExpiresAt: string, refreshToken: string } | null } };

export type RefreshSessionMutationVariables = Exact<{
  input: RefreshSessionInput;
}>;


export type RefreshSessionMutation = { refreshSession: { errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }>, credentials: { accessToken: string, accessExpiresAt: string, refreshToken: string } | null } };

export type SignOutMutationVariables = Exact<{ [key: string]: never; }>;


export type SignOutMutation = { signOut: { isSignedOut: boolean, errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }> } };

export type SignedInFragment = { errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }>, credentials: { accessToken: string, accessExpiresAt: string, refreshToken: string } | null };

export type VehiclesQueryVariables = Exact<{ [key: string]: never; }>;


export type VehiclesQuery = { viewer: { houses: Array<{ house: { id: string, number: string, vehicles: Array<{ id: string, kind: VehicleKind, plate: string, plateColour: PlateColour | null, brand: string, model: string, colour: string, flag: VehicleFlag | null }> }, compound: { name: string } }> } | null };

export type RegisterVehicleMutationVariables = Exact<{
  input: RegisterVehicleInput;
}>;


export type RegisterVehicleMutation = { registerVehicle: { errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }>, vehicle: { id: string } | null } };

export type RemoveVehicleMutationVariables = Exact<{
  input: RemoveVehicleInput;
}>;


export type RemoveVehicleMutation = { removeVehicle: { vehicle: string | null, errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }> } };

export type VisitQueryVariables = Exact<{
  pass: string | number;
  asks?: boolean;
  platform?: SubscribePlatform;
}>;


export type VisitQuery = { node:
    | { __typename: 'AccessRecord' }
    | { __typename: 'Alarm' }
    | { __typename: 'Bill' }
    | { __typename: 'BillingRun' }
    | { __typename: 'Building' }
    | { __typename: 'Compound' }
    | { __typename: 'Correction' }
    | { __typename: 'Device' }
    | { __typename: 'Door' }
    | { __typename: 'DoorCommand' }
    | { __typename: 'DunningLetter' }
    | { __typename: 'Expense' }
    | { __typename: 'FeeItem' }
    | { __typename: 'House' }
    | { __typename: 'Invitation' }
    | { __typename: 'Meter' }
    | { __typename: 'MeterReading' }
    | { __typename: 'Notification' }
    | { __typename: 'Occupancy' }
    | { __typename: 'PassTemplate' }
    | { __typename: 'Payment' }
    | { __typename: 'PaymentException' }
    | { __typename: 'PaymentPromise' }
    | { __typename: 'Person' }
    | { __typename: 'Refund' }
    | { __typename: 'Region' }
    | { __typename: 'Registration' }
    | { __typename: 'Role' }
    | { __typename: 'Staff' }
    | { __typename: 'Unit' }
    | { __typename: 'Vacancy' }
    | { __typename: 'Vehicle' }
    | { __typename: 'VisitorPass', origin: VisitorPassOrigin, phone: string | null, message: string, hostName: string | null, isMine: boolean, link: string | null, usesAllowed: number | null, decidedAt: string | null, endedAt: string | null, reason: string, uses: number, usesLeft: number | null, id: string, state: VisitorPassState, guestName: string, houseNumber: string, companions: number, purpose: VisitPurpose, plate: string, isCarRefused: boolean, startsAt: string, endsAt: string, requestedAt: string, insideSince: string | null, house: { id: string } | null, doors: Array<{ door: string, name: string, place: string }> }
    | { __typename: 'Webhook' }
   | null, viewer: { eventCursor: string, houses: Array<{ capacity: Capacity, house: { id: string } }>, subscribeTemplates?: Array<{ template: string, label: string, left: number }>, accessRecords: { nodes: Array<{ id: string, doorName: string, who: string, plate: string, at: string, direction: AccessDirection, method: AccessMethod, result: AccessResult, visitorPass: string | null }> } | null } | null };

export type RevokeVisitMutationVariables = Exact<{
  input: RevokeVisitorPassInput;
}>;


export type RevokeVisitMutation = { revokeVisitorPass: { errors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }>, visitorPass: { id: string, state: VisitorPassState } | null } };

export type VisitorsQueryVariables = Exact<{
  first: number;
  after?: string | null | undefined;
}>;


export type VisitorsQuery = { viewer: { eventCursor: string, houses: Array<{ occupancyId: string }>, current: { nodes: Array<{ uses: number, usesLeft: number | null, id: string, state: VisitorPassState, guestName: string, houseNumber: string, companions: number, purpose: VisitPurpose, plate: string, isCarRefused: boolean, startsAt: string, endsAt: string, requestedAt: string, insideSince: string | null }> } | null, past: { nodes: Array<{ uses: number, usesLeft: number | null, id: string, state: VisitorPassState, guestName: string, houseNumber: string, companions: number, purpose: VisitPurpose, plate: string, isCarRefused: boolean, startsAt: string, endsAt: string, requestedAt: string, insideSince: string | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } | null } | null };

export type VisitLineFragment = { uses: number, usesLeft: number | null, id: string, state: VisitorPassState, guestName: string, houseNumber: string, companions: number, purpose: VisitPurpose, plate: string, isCarRefused: boolean, startsAt: string, endsAt: string, requestedAt: string, insideSince: string | null };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}
export const BillShortFragmentDoc = new TypedDocumentString(`
    fragment BillShort on Bill {
  id
  compound
  houseNumber
  month
  dueOn
  state
  isOverdue
  isBeingPaid
  principalDueFen
  lateFeeFen
  outstandingFen
  paidAt
}
    `, {"fragmentName":"BillShort"}) as unknown as TypedDocumentString<BillShortFragment, unknown>;
export const AskedForFragmentDoc = new TypedDocumentString(`
    fragment AskedFor on SubscribeTemplate {
  template
  label
  left
}
    `, {"fragmentName":"AskedFor"}) as unknown as TypedDocumentString<AskedForFragment, unknown>;
export const DoorOrderFragmentDoc = new TypedDocumentString(`
    fragment DoorOrder on DoorCommand {
  id
  state
  reason
  message
}
    `, {"fragmentName":"DoorOrder"}) as unknown as TypedDocumentString<DoorOrderFragment, unknown>;
export const MeterShownFragmentDoc = new TypedDocumentString(`
    fragment MeterShown on Meter {
  id
  kind
  number
  houseNumber
  device
  multiplier
  digits
  dailyMost
  lastValue
  lastReadAt
  waiting
  consumption(months: 6) {
    month
    units
  }
}
    `, {"fragmentName":"MeterShown"}) as unknown as TypedDocumentString<MeterShownFragment, unknown>;
export const PassageFragmentDoc = new TypedDocumentString(`
    fragment Passage on AccessRecord {
  id
  doorName
  who
  plate
  at
  direction
  method
  result
  visitorPass
}
    `, {"fragmentName":"Passage"}) as unknown as TypedDocumentString<PassageFragment, unknown>;
export const PaymentShownFragmentDoc = new TypedDocumentString(`
    fragment PaymentShown on Payment {
  id
  title
  amountFen
  refundedFen
  state
  number
  createdAt
  expiresAt
  paidAt
  channel
  product
  attemptState
  problem
  receipt
  clientParameters {
    name
    value
  }
  parts {
    part
    amountFen
    concerns
    purpose
    bill {
      id
      houseNumber
      month
    }
  }
  refunds {
    id
    amountFen
    state
    requestedAt
  }
}
    `, {"fragmentName":"PaymentShown"}) as unknown as TypedDocumentString<PaymentShownFragment, unknown>;
export const SignedInFragmentDoc = new TypedDocumentString(`
    fragment SignedIn on SignInPayload {
  errors {
    code
    message
    field
  }
  credentials {
    accessToken
    accessExpiresAt
    refreshToken
  }
}
    `, {"fragmentName":"SignedIn"}) as unknown as TypedDocumentString<SignedInFragment, unknown>;
export const HomeVisitFragmentDoc = new TypedDocumentString(`
    fragment HomeVisit on VisitorPass {
  id
  state
  guestName
  houseNumber
  companions
  purpose
  plate
  isCarRefused
  startsAt
  endsAt
  requestedAt
  insideSince
}
    `, {"fragmentName":"HomeVisit"}) as unknown as TypedDocumentString<HomeVisitFragment, unknown>;
export const VisitLineFragmentDoc = new TypedDocumentString(`
    fragment VisitLine on VisitorPass {
  ...HomeVisit
  uses
  usesLeft
}
    fragment HomeVisit on VisitorPass {
  id
  state
  guestName
  houseNumber
  companions
  purpose
  plate
  isCarRefused
  startsAt
  endsAt
  requestedAt
  insideSince
}`, {"fragmentName":"VisitLine"}) as unknown as TypedDocumentString<VisitLineFragment, unknown>;
export const AccountDocument = {"__meta__":{"hash":"sha256:4d03806188a0872e28add29d512c85044de43b3ddd26536707189f98b82a5c71"}} as unknown as TypedDocumentString<AccountQuery, AccountQueryVariables>;
export const UpdateNameDocument = {"__meta__":{"hash":"sha256:047f066199ebbcab16d080351cc1035ed609a8dc12c41f606667e144d1dac248"}} as unknown as TypedDocumentString<UpdateNameMutation, UpdateNameMutationVariables>;
export const UpdateLanguageDocument = {"__meta__":{"hash":"sha256:eba36041386d6b8592e4d7ba8de98d7b346d3b1ad26b6b03f49e84b653fcc039"}} as unknown as TypedDocumentString<UpdateLanguageMutation, UpdateLanguageMutationVariables>;
export const BillDocument = {"__meta__":{"hash":"sha256:b342de3de8962ef885a5b2c71ddae034a4faf377416a420e9c226b16dda472b6"}} as unknown as TypedDocumentString<BillQuery, BillQueryVariables>;
export const IssueReceiptDocument = {"__meta__":{"hash":"sha256:13fbdd49bdc2ced6a8feae21f62e4c22d891e4d7c0eb883c25b2fdc8bac20ac7"}} as unknown as TypedDocumentString<IssueReceiptMutation, IssueReceiptMutationVariables>;
export const BillsDocument = {"__meta__":{"hash":"sha256:9b19b5ee7d339994cc95d787863112e4c8e6e911c2463c6291f7c26898a8f4ce"}} as unknown as TypedDocumentString<BillsQuery, BillsQueryVariables>;
export const BooksDocument = {"__meta__":{"hash":"sha256:cdfce69c8f4f9ce35b17690e2e019d8dc640c0f004a8b73a2c05991944ef52a0"}} as unknown as TypedDocumentString<BooksQuery, BooksQueryVariables>;
export const CodeDocument = {"__meta__":{"hash":"sha256:e5c8d675058fdda89fff797737f4ed9c195642ccc5f888c7797a401907ea9ced"}} as unknown as TypedDocumentString<CodeQuery, CodeQueryVariables>;
export const GrantMessagesDocument = {"__meta__":{"hash":"sha256:7e90d0e7802375127cb2fd3957f07e462755e8b7bd114061bdd1ce2be383d175"}} as unknown as TypedDocumentString<GrantMessagesMutation, GrantMessagesMutationVariables>;
export const DevicesDocument = {"__meta__":{"hash":"sha256:bd2bb5bcbe1689d21778d4c7fcb1e174e17739966d5723ed70381d06513b5f24"}} as unknown as TypedDocumentString<DevicesQuery, DevicesQueryVariables>;
export const RevokeSessionDocument = {"__meta__":{"hash":"sha256:76190cba01a38521f2010a2155f7c173a6baa84bb498c31c945c9166f3034585"}} as unknown as TypedDocumentString<RevokeSessionMutation, RevokeSessionMutationVariables>;
export const RevokeOtherSessionsDocument = {"__meta__":{"hash":"sha256:fd379d053cef9f9e20ae9c810b41e952db62e295b4546d79c3d08c8385b63621"}} as unknown as TypedDocumentString<RevokeOtherSessionsMutation, RevokeOtherSessionsMutationVariables>;
export const DoorsDocument = {"__meta__":{"hash":"sha256:557462ae6ed139212b4af9dfe1cabca2cfac59104d19bcf6b672bb79a0f5db89"}} as unknown as TypedDocumentString<DoorsQuery, DoorsQueryVariables>;
export const OpenDoorDocument = {"__meta__":{"hash":"sha256:4fc75ea4361a838ca9adaacb1cb8f0c01cd36359a0f93ad52935a2e209914f98"}} as unknown as TypedDocumentString<OpenDoorMutation, OpenDoorMutationVariables>;
export const DoorOrderNowDocument = {"__meta__":{"hash":"sha256:d02afe7f4f99ae96b395ec0d5602d231e45f0b7a224e45e3dd0df9325d6de1da"}} as unknown as TypedDocumentString<DoorOrderNowQuery, DoorOrderNowQueryVariables>;
export const DoorOrderChangedDocument = {"__meta__":{"hash":"sha256:530bbe8178bf448bbdfabe9aa81ea7a5e8fb92831634d130258cfa71a63c4ee8"}} as unknown as TypedDocumentString<DoorOrderChangedSubscription, DoorOrderChangedSubscriptionVariables>;
export const HomeDocument = {"__meta__":{"hash":"sha256:14c14f48d250905c6243d66e3901b20ba1975165e0e1c2ff847beb5b1e88f2f8"}} as unknown as TypedDocumentString<HomeQuery, HomeQueryVariables>;
export const DecideVisitDocument = {"__meta__":{"hash":"sha256:867ff4eb6929954839759ea308e6faab54e21553a3f0f90caa89f78ecedc03dd"}} as unknown as TypedDocumentString<DecideVisitMutation, DecideVisitMutationVariables>;
export const HouseholdDocument = {"__meta__":{"hash":"sha256:e77984d88a88295e63d314bc28b2e955661e5f0f8d2b38361d4222f7aed81218"}} as unknown as TypedDocumentString<HouseholdQuery, HouseholdQueryVariables>;
export const InviteToHouseDocument = {"__meta__":{"hash":"sha256:ea40ce9441491afe780a3af35baf6a6968517898c4260c63989b63d79a65e3f9"}} as unknown as TypedDocumentString<InviteToHouseMutation, InviteToHouseMutationVariables>;
export const WithdrawInvitationDocument = {"__meta__":{"hash":"sha256:68683fb22b691690fbbdeb7a00b492cc862ddeb3223b3e2c570203d0f835cdd1"}} as unknown as TypedDocumentString<WithdrawInvitationMutation, WithdrawInvitationMutationVariables>;
export const EndOccupancyDocument = {"__meta__":{"hash":"sha256:8f687dda2f01c6295b288e34d7a164b73de71dbee5b09b870ed3c7d3f5963f4a"}} as unknown as TypedDocumentString<EndOccupancyMutation, EndOccupancyMutationVariables>;
export const InboxDocument = {"__meta__":{"hash":"sha256:c1d8c6bd6a2b8dea71752fdbffad147397efc5c44252a66bd130b7f1533bcb2f"}} as unknown as TypedDocumentString<InboxQuery, InboxQueryVariables>;
export const MarkReadDocument = {"__meta__":{"hash":"sha256:75c1527961510e7c5e952e94b10fc1f40570e010e8d35031ea1c1cf02da50979"}} as unknown as TypedDocumentString<MarkReadMutation, MarkReadMutationVariables>;
export const InvitationsDocument = {"__meta__":{"hash":"sha256:77a65732a02a95e0e656b373b51eb39ebe83e9089c39b9c0a75d2ce0a032e68e"}} as unknown as TypedDocumentString<InvitationsQuery, InvitationsQueryVariables>;
export const AcceptInvitationDocument = {"__meta__":{"hash":"sha256:e455b5edb7124c7f63bce6a6e3c6194e87395da975e1f9a3499b9bc7d3dca64b"}} as unknown as TypedDocumentString<AcceptInvitationMutation, AcceptInvitationMutationVariables>;
export const InviteDocument = {"__meta__":{"hash":"sha256:339a24fb797be5ee61eb32fe0c1576d25bd8593eed48cc17c684a915eb7878b1"}} as unknown as TypedDocumentString<InviteQuery, InviteQueryVariables>;
export const InviteVisitorDocument = {"__meta__":{"hash":"sha256:848797fccc89189da89e0d7d156134d9c52aeec24aef75c79831dd6b95ebad6c"}} as unknown as TypedDocumentString<InviteVisitorMutation, InviteVisitorMutationVariables>;
export const ViewerEventsDocument = {"__meta__":{"hash":"sha256:c6f5b8bd6d524f7f7d8b72b5061c9d1703dc321bb91911be574532cd573466f2"}} as unknown as TypedDocumentString<ViewerEventsSubscription, ViewerEventsSubscriptionVariables>;
export const MetersDocument = {"__meta__":{"hash":"sha256:1e2a6d9b1ba3412524a390da4144bee8331d8a8849aa9905cfb6457938de77c0"}} as unknown as TypedDocumentString<MetersQuery, MetersQueryVariables>;
export const MeterDocument = {"__meta__":{"hash":"sha256:2ca0bc92d994df39b50bc42d02ff43defe84b8a76c249a3b572f8160fc19e4c1"}} as unknown as TypedDocumentString<MeterQuery, MeterQueryVariables>;
export const SubmitReadingDocument = {"__meta__":{"hash":"sha256:686b5aa67e63a6d82bd6ccc773ebf89f4f036b91b6c8e827da1c20739db1fb70"}} as unknown as TypedDocumentString<SubmitReadingMutation, SubmitReadingMutationVariables>;
export const NotificationSettingsDocument = {"__meta__":{"hash":"sha256:377b09d25e11806499410df3c328a2d6ea8b41a59e9bbfaec9e7d88dc612f17c"}} as unknown as TypedDocumentString<NotificationSettingsQuery, NotificationSettingsQueryVariables>;
export const SetQuietHoursDocument = {"__meta__":{"hash":"sha256:c7b30a69553982f80e33ba85f9a17f777f7b9a8bdabfbd7886e60f53dfd57a62"}} as unknown as TypedDocumentString<SetQuietHoursMutation, SetQuietHoursMutationVariables>;
export const SetNotificationPreferenceDocument = {"__meta__":{"hash":"sha256:0a57261a3e714f5576ba281dbbb14bfb3cd41c9b0579759475b2250ca270fe72"}} as unknown as TypedDocumentString<SetNotificationPreferenceMutation, SetNotificationPreferenceMutationVariables>;
export const PassagesDocument = {"__meta__":{"hash":"sha256:b7440af8f0cc4541d7ee34fe70ba687b4ddd2561b13b4574d7858c3397127769"}} as unknown as TypedDocumentString<PassagesQuery, PassagesQueryVariables>;
export const PaymentDocument = {"__meta__":{"hash":"sha256:5d9005978e0ba9bcb216fa15183ffed08e1fef318dd994d3885ac9bf386f41eb"}} as unknown as TypedDocumentString<PaymentQuery, PaymentQueryVariables>;
export const PayBillsDocument = {"__meta__":{"hash":"sha256:08e0bc7e6abc20ab70755d44d51c2f898cbf4e3a026fbd80018dca21a5959624"}} as unknown as TypedDocumentString<PayBillsMutation, PayBillsMutationVariables>;
export const ConfirmPaymentHintDocument = {"__meta__":{"hash":"sha256:3cec379f459299c4f401f17ef0f595ece283d9a51d060c3380707488ce671ea1"}} as unknown as TypedDocumentString<ConfirmPaymentHintMutation, ConfirmPaymentHintMutationVariables>;
export const CancelPaymentDocument = {"__meta__":{"hash":"sha256:4de23faf6c8571fe76931a0d50173004b722cb87d048824a072eaebaeec6ce53"}} as unknown as TypedDocumentString<CancelPaymentMutation, CancelPaymentMutationVariables>;
export const PaymentChangedDocument = {"__meta__":{"hash":"sha256:36ee051cd3c4d5eb8261a5fb839cc6d874114eb9f0fe7f8287e0f83ec5ec9303"}} as unknown as TypedDocumentString<PaymentChangedSubscription, PaymentChangedSubscriptionVariables>;
export const PaymentsDocument = {"__meta__":{"hash":"sha256:1c6d6060f4046b28caab8ba79b327d49c3606993fe01222065830c62602bc91a"}} as unknown as TypedDocumentString<PaymentsQuery, PaymentsQueryVariables>;
export const PrepaymentDocument = {"__meta__":{"hash":"sha256:2ff4a8fe1aeef07d74482d305c99321fc3dc635521f4182b705f8babf29b0da5"}} as unknown as TypedDocumentString<PrepaymentQuery, PrepaymentQueryVariables>;
export const TopUpAccountDocument = {"__meta__":{"hash":"sha256:539574ea6c8b52da94eed81cdb472c1340b155f75d8ab63d09a39d633e65a595"}} as unknown as TypedDocumentString<TopUpAccountMutation, TopUpAccountMutationVariables>;
export const IssueStatementDocument = {"__meta__":{"hash":"sha256:9de7ebb80282bf1c33011fffab2b02e655e53b0d4a6263f74fa9818b725a45e2"}} as unknown as TypedDocumentString<IssueStatementMutation, IssueStatementMutationVariables>;
export const PrivacyDocument = {"__meta__":{"hash":"sha256:6ead39517b237edb5ca0c87b7c0a678029c22e5515a65038901a2e0f324d6f88"}} as unknown as TypedDocumentString<PrivacyQuery, PrivacyQueryVariables>;
export const CompoundByCodeDocument = {"__meta__":{"hash":"sha256:db4772c019f9534ddffa0b20c40ebf86e8893ef7579d176a87e3e7bb7295d594"}} as unknown as TypedDocumentString<CompoundByCodeQuery, CompoundByCodeQueryVariables>;
export const RegisterResidentDocument = {"__meta__":{"hash":"sha256:b6e04d027397f801e79db52f74af4f895c644b5048b6c551a8d58655addd11dd"}} as unknown as TypedDocumentString<RegisterResidentMutation, RegisterResidentMutationVariables>;
export const RegistrationsDocument = {"__meta__":{"hash":"sha256:71fc769fdd10ba5d2ae92be44833c731fd71920b58da400744ce2f9617061cdf"}} as unknown as TypedDocumentString<RegistrationsQuery, RegistrationsQueryVariables>;
export const WithdrawRegistrationDocument = {"__meta__":{"hash":"sha256:9342fa6f92c956cae9569141b405a64b55890d2aa1d32efe3e9bd9cdb9b96e1b"}} as unknown as TypedDocumentString<WithdrawRegistrationMutation, WithdrawRegistrationMutationVariables>;
export const RegularsDocument = {"__meta__":{"hash":"sha256:a1495f001980e2377fd79918fc83e9f8a2ad08a4f24da1a3ff0615b4b6afe6b6"}} as unknown as TypedDocumentString<RegularsQuery, RegularsQueryVariables>;
export const CreateRegularDocument = {"__meta__":{"hash":"sha256:9f4a48663be8e6df0ccdf731861cf87748ad673c4a84168049313c8a90163d85"}} as unknown as TypedDocumentString<CreateRegularMutation, CreateRegularMutationVariables>;
export const EndRegularDocument = {"__meta__":{"hash":"sha256:d1f7b5b32bcfba9f739b0745eb348453c47117dc473081ff8c1f09f074bd7656"}} as unknown as TypedDocumentString<EndRegularMutation, EndRegularMutationVariables>;
export const SignInPagesDocument = {"__meta__":{"hash":"sha256:bc6658c2c3ea26ca35c0f9a429b4f907fe65a3b87570c3827a67dc5d0dd8dd78"}} as unknown as TypedDocumentString<SignInPagesQuery, SignInPagesQueryVariables>;
export const RequestSmsCodeDocument = {"__meta__":{"hash":"sha256:67f1eaaab0777fab8b735f5145af28f6ac9e44b8b9be8ab50d47737e4888a988"}} as unknown as TypedDocumentString<RequestSmsCodeMutation, RequestSmsCodeMutationVariables>;
export const SignInWithSmsDocument = {"__meta__":{"hash":"sha256:0546863bb7d4e35f216996c4dee0c013531f19ec34dcd8b886d672568b0a49c2"}} as unknown as TypedDocumentString<SignInWithSmsMutation, SignInWithSmsMutationVariables>;
export const SignInWithWeChatDocument = {"__meta__":{"hash":"sha256:25271915fb5ccf30a40f8ab0e0aaa6a130df106ff842d3c87e79c2d3fe96d9b8"}} as unknown as TypedDocumentString<SignInWithWeChatMutation, SignInWithWeChatMutationVariables>;
export const SignInWithAlipayDocument = {"__meta__":{"hash":"sha256:9ae783466ccff852e30c71811cdc54a2388a8ca7e8adaf4357032c1322dbfaf8"}} as unknown as TypedDocumentString<SignInWithAlipayMutation, SignInWithAlipayMutationVariables>;
export const RefreshSessionDocument = {"__meta__":{"hash":"sha256:7efe85903d9f0de9c39a7d769fd7e717ea8ce0d8579befca5fedec32bdaa975c"}} as unknown as TypedDocumentString<RefreshSessionMutation, RefreshSessionMutationVariables>;
export const SignOutDocument = {"__meta__":{"hash":"sha256:0cdc0ee508080f1c578f8b1d4a96f1f3e96248357666627e65ea9c93dc309f0e"}} as unknown as TypedDocumentString<SignOutMutation, SignOutMutationVariables>;
export const VehiclesDocument = {"__meta__":{"hash":"sha256:b4ad09ed7bd8810a2ef590d3a23a97702757de599d6eea1d68618733a36101f3"}} as unknown as TypedDocumentString<VehiclesQuery, VehiclesQueryVariables>;
export const RegisterVehicleDocument = {"__meta__":{"hash":"sha256:735aeace58dba853b6f53dadae7f11c434394edff4d1d0aa77dad7ec88d4153c"}} as unknown as TypedDocumentString<RegisterVehicleMutation, RegisterVehicleMutationVariables>;
export const RemoveVehicleDocument = {"__meta__":{"hash":"sha256:d6dd22d291a8da0ce74e1079e26fc895bfe6a4007e74a696db0fbe9be6312f17"}} as unknown as TypedDocumentString<RemoveVehicleMutation, RemoveVehicleMutationVariables>;
export const VisitDocument = {"__meta__":{"hash":"sha256:3749c038e954900b3c53567d485c61bd0fb875da1210022948abaaa717044708"}} as unknown as TypedDocumentString<VisitQuery, VisitQueryVariables>;
export const RevokeVisitDocument = {"__meta__":{"hash":"sha256:a017eab930dd8665a0a487569a9626ae9b2e66fa691c6d1598dc0ced9c465ffa"}} as unknown as TypedDocumentString<RevokeVisitMutation, RevokeVisitMutationVariables>;
export const VisitorsDocument = {"__meta__":{"hash":"sha256:7d6a3a0392f8103721105c29427d4f8141293451690440464d8b86947787d5d4"}} as unknown as TypedDocumentString<VisitorsQuery, VisitorsQueryVariables>;