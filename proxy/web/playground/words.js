/** What the page says, in English and Chinese. */

/** @type {Record<string, Record<string, string>>} */
const WORDS = {
    en: {
        tagline: "Many vendors’ streams flow in, one schema flows out. Ask something and watch how it arrives.",
        prompt: "Prompt",
        first_prompt: "Tell me about rivers, in a few sentences.",
        model: "Model",
        dialect: "Client’s dialect",
        beside: "Side by side with",
        nothing: "nothing",
        scenario: "What the mock plays",
        fault: "A fault in it",
        none: "none",
        own: "as configured",
        choice: "{name}: {does}",
        speed: "Tokens a second",
        extra: "More of the body, as JSON",
        key: "Key",
        key_wanted: "This proxy wants a key. It stays in this page.",
        key_refused: "This key was not taken:",
        ask: "Ask",
        stop: "Stop",
        leave: "Drop the connection",
        resume: "Resume",
        watch: "Watch in another window",
        answer: "Answer",
        asking: "Asking …",
        running: "Streaming …",
        ended: "Ended: {reason}.",
        failed: "Failed ({kind}): {message}",
        refused: "Refused with {status}: {message}",
        unreachable: "The proxy could not be reached, or the connection broke.",
        stopped: "Stopped: the upstream’s work is over too.",
        dropped: "The connection is dropped; the stream goes on for a while without this page.",
        cut: "The connection broke before the end.",
        notes: "Changed or lost on the way",
        first_byte: "first byte",
        first_content: "first content",
        total: "in all",
        rate: "tokens/s",
        tokens: "tokens in / out",
        cost: "cost",
        unknown: "unknown",
        gaps: "Gaps between pieces",
        gaps_text: "{count} pieces; usual gap {median} ms, longest {longest} ms.",
        no_gaps: "Nothing has arrived yet.",
        microscope: "Microscope",
        vendor_bytes: "The vendor’s bytes",
        events: "Events",
        client_bytes: "Bytes to the client",
        earlier: "{count} earlier rows are not shown any more.",
        chunk: "chunk {number} · {at} ms · {size} B",
        cut_bytes: "… {size} bytes in all",
        nothing_sent: "nothing",
        omitted: "The client’s dialect has no place for it in an answer.",
        reasoning: "Reasoning",
        tool_call: "Tool call",
        source: "source",
        unnamed_source: "a source without a name",
        more_text: "The answer is longer than this page shows.",
        image: "a picture",
        same: "The same from elsewhere",
        copy: "Copy",
        copied: "Copied",
        select: "Select it",
        schema: "Schema of the events",
        models: "Models",
        bad_extra: "“More of the body” is no JSON object.",
        language: "中文",
    },
    zh: {
        tagline: "多家厂商的流汇入这里，再以同一种格式流出。提一个问题，看回答怎样到达。",
        prompt: "提示词",
        first_prompt: "用几句话介绍一下河流。",
        model: "模型",
        dialect: "客户端方言",
        beside: "并排对比",
        nothing: "无",
        scenario: "模拟回答的内容",
        fault: "注入的故障",
        none: "无",
        own: "按配置",
        choice: "{name}：{does}",
        speed: "每秒词元数",
        extra: "请求体的附加字段（JSON）",
        key: "密钥",
        key_wanted: "此代理需要密钥。密钥只留在本页面。",
        key_refused: "密钥不被接受：",
        ask: "提问",
        stop: "停止",
        leave: "断开连接",
        resume: "继续接收",
        watch: "在另一个窗口中观看",
        answer: "回答",
        asking: "正在提问……",
        running: "正在接收……",
        ended: "已结束：{reason}。",
        failed: "失败（{kind}）：{message}",
        refused: "请求被拒绝（状态 {status}）：{message}",
        unreachable: "连不上代理，或者连接中断了。",
        stopped: "已停止，上游也不再生成。",
        dropped: "连接已断开。没有本页面，流也会再继续一段时间。",
        cut: "流还没有结束，连接就中断了。",
        notes: "转换时的改动和丢失",
        first_byte: "首字节",
        first_content: "首个内容",
        total: "总计",
        rate: "词元/秒",
        tokens: "输入 / 输出词元",
        cost: "费用",
        unknown: "未知",
        gaps: "片段之间的间隔",
        gaps_text: "共 {count} 个片段；间隔一般为 {median} 毫秒，最长 {longest} 毫秒。",
        no_gaps: "尚未收到任何内容。",
        microscope: "显微镜",
        vendor_bytes: "厂商的原始字节",
        events: "事件",
        client_bytes: "发给客户端的字节",
        earlier: "更早的 {count} 行已不再显示。",
        chunk: "数据块 {number} · {at} 毫秒 · {size} 字节",
        cut_bytes: "…… 共 {size} 字节",
        nothing_sent: "无",
        omitted: "客户端的方言在回答中没有位置放它。",
        reasoning: "推理",
        tool_call: "工具调用",
        source: "来源",
        unnamed_source: "没有名称的来源",
        more_text: "回答太长，没有全部显示。",
        image: "图片",
        same: "在别处发出同样的请求",
        copy: "复制",
        copied: "已复制",
        select: "请手动复制",
        schema: "事件的 JSON Schema",
        models: "模型列表",
        bad_extra: "“附加字段”不是 JSON 对象。",
        language: "English",
    },
};

let language = "en";

/** The language of the address (?lang=zh), of the last visit, or of the browser. */
export function chooseLanguage() {
    const asked = new URL(location.href).searchParams.get("lang") ?? remembered("lang") ?? navigator.language;
    setLanguage(asked.toLowerCase().startsWith("zh") ? "zh" : "en");
}

export const spoken = () => language;

export const otherLanguage = () => (language === "en" ? "zh" : "en");

/** @param {string} chosen */
export function setLanguage(chosen) {
    language = chosen;
    document.documentElement.lang = chosen === "zh" ? "zh-CN" : "en";
    for (const node of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-word]"))) {
        node.textContent = word(node.dataset.word ?? "");
    }
}

/**
 * @param {string} name
 * @param {Record<string, string | number>} [values]
 */
export function word(name, values = {}) {
    return WORDS[language][name].replace(/\{(\w+)\}/g, (_, key) => String(values[key] ?? ""));
}

/** Every word's name in every language, for tests. */
export const names = () => Object.values(WORDS).map((words) => Object.keys(words));

/** @typedef {"localStorage" | "sessionStorage"} Store for all visits, or for this tab */

/** @param {string} name @param {Store} [store] */
export function remembered(name, store = "localStorage") {
    try {
        return globalThis[store].getItem(`mainstem.${name}`);
    } catch {
        return null; // storage may be switched off
    }
}

/** @param {string} name @param {string} value @param {Store} [store] */
export function remember(name, value, store = "localStorage") {
    try {
        globalThis[store].setItem(`mainstem.${name}`, value);
    } catch {
        // It is a convenience only.
    }
}
