"""Characters of names that are one character written two ways: traditional forms, and variants offices print differently.

in    nothing
out   FROM and TO, of one length, as PostgreSQL's translate takes them; `folded` does the same in Python

Always true: folding twice changes nothing. Limits: characters met in names, not a dictionary of the language; what is not
here still meets its other form where both are read alike.
"""

_PAIRS = (
    "張张 陳陈 劉刘 楊杨 黃黄 趙赵 吳吴 孫孙 馬马 鄭郑 謝谢 許许 馮冯 蕭萧 葉叶 蘇苏 盧卢 蔣蒋 賈贾 錢钱 閻阎 陸陆 範范 鍾钟 鐘钟 譚谭 "
    "賀贺 賴赖 龔龚 萬万 嚴严 顧顾 湯汤 羅罗 韓韩 鄧邓 魯鲁 龍龙 雷雷 龐庞 倪倪 齊齐 畢毕 聶聂 駱骆 關关 歐欧 單单 費费 喬乔 樂乐 連连 "
    "偉伟 國国 華华 軍军 強强 剛刚 勇勇 鵬鹏 濤涛 蘭兰 鳳凤 榮荣 貴贵 財财 興兴 寶宝 學学 東东 慶庆 麗丽 靜静 瓊琼 紅红 艷艳 豔艳 穎颖 "
    "瑩莹 夢梦 愛爱 嬌娇 蓮莲 鳴鸣 輝辉 煇辉 躍跃 勝胜 傑杰 滿满 壽寿 義义 禮礼 賢贤 順顺 領领 師师 書书 對对 發发 長长 門门 風风 雲云 飛飞 "
    "銀银 鋒锋 銘铭 鑫鑫 錦锦 鐵铁 鎮镇 煒炜 燦灿 爾尔 瑋玮 瓏珑 現现 環环 維维 紀纪 純纯 綠绿 緒绪 繼继 續续 聖圣 聰聪 職职 蔭荫 藝艺 "
    "術术 衛卫 觀观 詩诗 詠咏 誠诚 誼谊 論论 謙谦 豐丰 進进 運运 達达 遠远 遷迁 鄉乡 開开 陽阳 隊队 雙双 電电 靈灵 韻韵 頌颂 馨馨 騰腾 驥骥 "
    "鴻鸿 鵑鹃 鶴鹤 麟麟 亞亚 倫伦 偲偲 億亿 儀仪 優优 兒儿 勳勋 勛勋 勵励 務务 動动 匯汇 協协 員员 園园 圓圆 堅坚 場场 墨墨 壯壮 嬋婵 孃娘 "
    "實实 寧宁 甯宁 審审 將将 嶽岳 巖岩 岡冈 峯峰 嵐岚 帥帅 廣广 慧慧 憲宪 應应 懷怀 戰战 揚扬 攀攀 敏敏 曉晓 昇升 陞升 會会 棟栋 標标 樹树 "
    "權权 歡欢 歲岁 氣气 淚泪 淨净 淵渊 漢汉 潔洁 澤泽 濱滨 灣湾 爐炉 彥彦 髙高 郞郎 兪俞 栢柏 凃涂 堃坤 喆哲 淼淼 珎珍 眞真 徳德 淸清 "
    "祐佑 禎祯 福福 積积 穩稳 節节 築筑 籃篮 縣县 羣群 習习 聞闻 肅肃 臨临 葦苇 蔣蒋 虛虚 號号 裡里 裏里 訊讯 諾诺 證证 譽誉 讓让 賓宾 質质 赫赫 "
    "輕轻 邊边 邁迈 鄒邹 鄔邬 酈郦 鄺邝 釗钊 鈞钧 鈴铃 鈺钰 鋼钢 錫锡 閆闫 閔闵 閩闽 闖闯 隨随 頁页 項项 須须 頓顿 頤颐 顏颜 顯显 馳驰 駿骏 魏魏"
)
_MAP = {pair[0]: pair[1] for pair in _PAIRS.split() if pair[0] != pair[1]}
FROM = "".join(_MAP)
TO = "".join(_MAP.values())
_TABLE = str.maketrans(_MAP)


def folded(name: str) -> str:
    return name.translate(_TABLE)
