"""What is written becomes what is said: a table that every change must keep."""

from __future__ import annotations

import pytest

from speech.text import normalize

PROMISED = [
    ("en", "$1,234.50", "one thousand two hundred thirty-four dollars and fifty cents."),
    ("en", "call 555-1234", "call five five five one two three four."),
    ("en", "the 1990s", "the nineteen nineties."),
    ("en", "v2.0.1", "version two point zero point one."),
    ("en", "No. 7", "number seven."),
    ("en", "See https://www.example.com/a/b?c=1#d for more.", "See example dot com for more."),
    ("zh", "¥1,234.50", "一千二百三十四元五角。"),
    ("zh", "13812345678", "幺三八幺二三四五六七八。"),
]

ENGLISH = [
    ("$0.99 each", "ninety-nine cents each."),
    ("$1 or $5.00", "one dollar or five dollars."),
    ("$1.5 million", "one point five million dollars."),
    ("a $5-10 fee", "a five to ten dollars fee."),
    ("-$20", "minus twenty dollars."),
    ("€5.99, £3.01", "five euros and ninety-nine cents, three pounds and one penny."),
    ("¥500 and 20 USD", "five hundred yen and twenty US dollars."),
    ("$20/month", "twenty dollars per month."),
    ("5¢", "five cents."),
    ("at 10:30 am", "at ten thirty AM."),
    ("from 9 to 5pm", "from nine to five PM."),
    ("9:00 p.m. sharp", "nine PM sharp."),
    ("3:05 EST", "three o five EST."),
    ("23:45", "twenty three forty five."),
    ("Jan 5, 2024", "January fifth, twenty twenty-four."),
    ("5 May 2020", "the fifth of May, twenty twenty."),
    ("the 4th of July", "the fourth of July."),
    ("In March 1999", "In March nineteen ninety-nine."),
    ("2024-01-05", "the fifth of january twenty twenty four."),
    ("12/25/2024", "the twenty fifth of december twenty twenty four."),
    ("in 1905 and 2008", "in nineteen oh five and two thousand eight."),
    ("2010-2015", "twenty ten to twenty fifteen."),
    ("the 2000s and the '80s", "the two thousands and the eighties."),
    ("in her 20s", "in her twenties."),
    ("50%", "fifty percent."),
    ("5-10% off", "five to ten percent off."),
    ("-3.5%", "minus three point five percent."),
    ("5 km and 1 km", "five kilometers and one kilometer."),
    ("1,500 kg", "one thousand five hundred kilograms."),
    ("100km/h", "one hundred kilometers per hour."),
    ("2 m of rope", "two meters of rope."),
    ("-5°C or 23 °F", "minus five degrees Celsius or twenty-three degrees Fahrenheit."),
    ("16GB at 3.2 GHz", "sixteen gigabytes at three point two gigahertz."),
    ("a 10-km run", "a ten kilometer run."),
    ("6'2\" tall", "six feet two tall."),
    ("50 m²", "fifty square meters."),
    ("1st, 2nd, 23rd, 100th", "first, second, twenty-third, one hundredth."),
    ("1/2 cup, ¾ spoon, 3½ eggs", "one half cup, three quarters spoon, three and a half eggs."),
    ("24/7", "twenty-four seven."),
    ("a 3:2 lead", "a three to two lead."),
    ("10-20 people", "ten to twenty people."),
    ("~20 people", "about twenty people."),
    ("3.14 and .5", "three point one four and zero point five."),
    ("1,000,000", "one million."),
    ("007", "zero zero seven."),
    ("2 + 2 = 4", "two plus two equals four."),
    ("10^3", "ten to the power of three."),
    ("x² + y²", "x squared plus y squared."),
    ("+1 (555) 123-4567", "plus one, five five five, one two three, four five six seven."),
    ("800-555-0199", "eight zero zero, five five five, zero one nine nine."),
    ("13812345678", "one three eight one two three four five six seven eight."),
    ("192.168.0.1", "one nine two point one six eight point zero point one."),
    ("Python 3.11.4", "Python three point eleven point four."),
    ("GPT-4 and MP3", "GPT four and MP three."),
    ("#1 and #python", "number one and hashtag python."),
    ("Dr. Lee vs. Mr. Ray", "Doctor Lee versus Mister Ray."),
    ("fruit, e.g. figs, etc.", "fruit, for example figs, et cetera."),
    ("R&D @home", "R and D at home."),
    ("C++ and C#", "C plus plus and C sharp."),
    ("Mail jane.doe@example.com!", "Mail jane dot doe at example dot com!"),
    ("Go to example.org/x.", "Go to example dot org."),
    ("Hello 😀 world 🇩🇪👍🏽", "Hello world."),
    ("nice :-) thanks", "nice thanks."),
    ("1️⃣ first", "one first."),
    ("He said “hi” – really…", 'He said "hi", really.'),
    ("it’s ﬁne", "it's fine."),
    ("Ｆｕｌｌ　ｗｉｄｔｈ １２", "Full width twelve."),
    ("# Title\n\n- one\n- two\n\nText **bold** and `code`", "Title. one. two. Text bold and code."),
    ("[the docs](https://a.example/b_(c)) and ![a cat](c.png)", "the docs and a cat."),
    ("1. Go\n2. Stop", "one, Go. two, Stop."),
    ("| a | b |\n|---|---|\n| c | d |", "a, b. c, d."),
    ("a line\nthat goes on", "a line that goes on."),
    ("<p>One</p><p>Two &amp; three</p>", "One. Two and three."),
    ("> quoted\n> words", "quoted words."),
    ("at 3 p.m. on Monday", "at three PM on Monday."),
    ("10am-5pm, 10:00–11:30", "ten AM to five PM, ten o'clock to eleven thirty."),
    ("at 2024-06-01T10:30:00Z", "at the first of june twenty twenty four ten thirty UTC."),
    ("born in '85", "born in eighty-five."),
    ("1000s of birds", "thousands of birds."),
    ("10.0.0.1:80", "one zero point zero point zero point one port eighty."),
    ("ISBN 978-3-16-148410-0",
     "ISBN nine seven eight, three, one six, one four eight four one zero, zero."),
    ("your code is 4821", "your code is four eight two one."),
    ("20 000 km", "twenty thousand kilometers."),
    ("World War II", "World War two."),
    ("$ 5, 5 $ and USD 5", "five dollars, five dollars and five US dollars."),
    ("+5%/year", "plus five percent per year."),
    ("the 2023/24 season", "the twenty twenty-three twenty-four season."),
    ("§5, Mr.Smith", "section five, Mister Smith."),
    ("two word(s) (really)", "two words, really."),
    ("10%–20% or 10 %-20 %", "ten to twenty percent or ten to twenty percent."),
    ("10°C-20°C, 5km - 10km", "ten to twenty degrees Celsius, five to ten kilometers."),
    ("$5m-$10m and $5 – $10", "five to ten million dollars and five to ten dollars."),
    ("$.50 off", "fifty cents off."),
    ("Call 911, not 411", "Call nine one one, not four hundred eleven."),
    ("call 911 people", "call nine hundred eleven people."),
    ("at 7.30 p.m. sharp", "at seven thirty PM sharp."),
    ("2.5bn people in 1h30m", "two point five billion people in one hour thirty minutes."),
    ("9.8 m/s²", "nine point eight meters per second squared."),
    ("x^2 + e^n", "x squared plus e to the power of n."),
    ("±5, ≤ 3, √2", "plus or minus five, at most three, the square root of two."),
    ("1990—1995 — a time", "nineteen ninety to nineteen ninety-five, a time."),
    ('“Hello,” she said. "Bye."', '"Hello," she said. "Bye."'),
]  # fmt: skip

CHINESE = [
    ("¥1,234.56", "一千二百三十四元五角六分。"),
    ("¥100.05", "一百元零五分。"),
    ("¥0.50", "五角。"),
    ("￥2", "两元。"),
    ("¥1.5亿", "一点五亿元。"),
    ("$5.50", "五点五美元。"),
    ("€20到€30", "二十欧元到三十欧元。"),
    ("共1,234.5元", "共一千二百三十四点五元。"),
    ("200元", "两百元。"),
    ("2024年1月5日", "二零二四年一月五日。"),
    ("2024-01-05", "二零二四年一月五日。"),
    ("下午3:30", "下午三点三十分。"),
    ("10:30-11:30", "十点三十分到十一点三十分。"),
    ("1990年代", "一九九零年代。"),
    ("80年代", "八十年代。"),
    ("增长了50%", "增长了百分之五十。"),
    ("-5℃", "负五摄氏度。"),
    ("5kg苹果", "五千克苹果。"),
    ("时速100km/h", "时速每小时一百公里。"),
    ("他有2个苹果", "他有两个苹果。"),
    ("3/5的人", "五分之三的人。"),
    ("第3名", "第三名。"),
    ("No.7", "第七。"),
    ("第2季度", "第二季度。"),
    ("2月2日，2号", "二月二日，二号。"),
    ("约1/3的人", "约三分之一的人。"),
    ("密码是12345678", "密码是幺二三四五六七八。"),
    ("v2.0.1", "版本二点零点一。"),
    ("1,000人", "一千人。"),
    ("10086", "幺零零八六。"),
    ("电话010-12345678", "电话零幺零幺二三四五六七八。"),
    ("+86 138 1234 5678", "加八六幺三八幺二三四五六七八。"),
    ("3-5天", "三到五天。"),
    ("5+3=8", "五加三等于八。"),
    ("16:9", "十六比九。"),
    ("他说“你好”", '他说"你好"。'),
    ("看https://www.example.com/路径。", "看example点com。"),
    ("发到a@b.com", "发到a艾特b点com。"),
    ("你好😀，世界", "你好，世界。"),
    ("## 标题\n\n正文", "标题。正文。"),
    ("你好\n世界", "你好世界。"),
    ("（旁白）你好！", "旁白，你好！"),
    ("10%-20%，3-5%的人", "百分之十到百分之二十，百分之三到百分之五的人。"),
    ("-5%和5‰", "负百分之五和千分之五。"),
    ("30s后", "三十秒后。"),
    ("80s", "八十年代。"),
    ("220V，50Hz，3000mAh", "两百二十伏，五十赫兹，三千毫安时。"),
    ("10kWh", "十千瓦时。"),
    ("2倍，第2次又2次", "两倍，第二次又两次。"),
    ("下午2点半", "下午两点半。"),
    ("2点30分", "两点三十分。"),
    ("14点02分", "十四点零二分。"),
    ("3—5个", "三到五个。"),
    ("10^3，x^2", "十的立方，x的平方。"),
    ("±5，√2", "正负五，根号二。"),
    ("发到abc@163.com", "发到abc艾特一六三点com。"),
]

NEUTRAL = [
    ("de", "Das kostet 3,50 € – wirklich", "Das kostet 3,50 €, wirklich."),
    ("de", "Am 1. Januar 2024", "Am 1. Januar 2024."),
    ("fr", "« Bonjour » dit-il", '"Bonjour" dit-il.'),
    ("fr", "Voir https://www.example.fr/a", "Voir example.fr."),
    ("es", "**Hola** 😀 a las 10:30", "Hola a las 10:30."),
    ("ja", "これは*ペン*です", "これはペンです。"),
    ("hi", "नमस्ते", "नमस्ते।"),
]


@pytest.mark.parametrize(("language", "written", "said"), PROMISED)
def test_it_reads_what_is_promised(language, written, said):
    assert normalize(written, language) == said


@pytest.mark.parametrize(("written", "said"), ENGLISH)
def test_it_reads_english(written, said):
    assert normalize(written, "en-US") == said


@pytest.mark.parametrize(("written", "said"), CHINESE)
def test_it_reads_chinese(written, said):
    assert normalize(written, "zh-CN") == said


@pytest.mark.parametrize(("language", "written", "said"), NEUTRAL)
def test_it_leaves_the_figures_of_other_languages_alone(language, written, said):
    assert normalize(written, language) == said


def test_it_reads_cantonese_figures_in_chinese():
    assert normalize("佢有2個", "yue") == "佢有兩個。"


def test_it_takes_the_language_from_the_text():
    assert normalize("我有3个苹果") == "我有三个苹果。"
    assert normalize("Das ist ein Haus mit 3 Zimmern", "Auto") == "Das ist ein Haus mit 3 Zimmern."
    assert normalize("I have 3 apples") == "I have three apples."
