/** Words for people under eighteen, by language. Each stands for a minor whatever it is beside. */
export const MINOR_TERMS: readonly string[] = [
  // en
  ...[
    'child',
    'children',
    'childs',
    'kid',
    'kids',
    'minor',
    'minors',
    'baby',
    'babies',
    'infant',
    'infants',
    'toddler',
  ],
  ...['toddlers', 'newborn', 'teen', 'teens', 'teenager', 'teenagers', 'teenage', 'teenaged', 'preteen', 'preteens'],
  ...['tween', 'tweens', 'adolescent', 'adolescents', 'juvenile', 'juveniles', 'underage', 'underaged', 'under age'],
  ...['pre teen', 'pubescent', 'prepubescent', 'schoolgirl', 'schoolgirls', 'schoolboy', 'schoolboys', 'schoolchild'],
  ...['school girl', 'school girls', 'school boy', 'school boys', 'schoolchildren', 'little girl', 'little girls'],
  ...['little boy', 'little boys', 'young girl', 'young girls', 'young boy', 'young boys', 'small girl', 'small boy'],
  ...['middle schooler', 'high schooler', 'high school student', 'kindergartner', 'kindergartener', 'loli', 'lolita'],
  ...['shota', '# year old', '# years old', '# yr old', '# yo', '#yo', '#yr', '#yrs', '#year', 'aged #', 'age #'],
  ...['age of #', 'below eighteen', 'under eighteen', 'under 18', 'younger than 18', 'not yet 18'],
  ...['twelve', 'thirteen', 'fourteen', 'fifteen', 'sixteen', 'seventeen', 'ten', 'eleven', 'nine', 'eight'].flatMap(
    (age) => [`${age} year old`, `${age} years old`],
  ),
  // fr
  ...['enfant', 'enfants', 'bébé', 'bébés', 'mineur', 'mineure', 'mineurs', 'mineures', 'adolescent', 'adolescente'],
  ...['adolescents', 'adolescentes', 'ado', 'ados', 'préado', 'fillette', 'fillettes', 'garçonnet', 'gamin', 'gamine'],
  ...[
    'gamins',
    'gamines',
    'gosse',
    'gosses',
    'écolier',
    'écolière',
    'écoliers',
    'écolières',
    'collégienne',
    'collégien',
  ],
  ...['collégiennes', 'lycéenne', 'lycéen', 'lycéennes', 'petite fille', 'petites filles', 'petit garçon', 'prépubère'],
  ...['petits garçons', 'jeune fille', 'jeunes filles', 'de # ans', 'a # ans', 'moins de 18 ans', 'nourrisson'],
  // ru
  ...['ребен*', 'ребят*', 'дети', 'детей', 'детям', 'детьми', 'детях', 'детск*', 'малыш*', 'младен*', 'девочк*'],
  ...['мальчик*', 'мальчиш*', 'подрост*', 'несовершеннолетн*', 'малолет*', 'школьни*', 'дошкольни*', 'тинейджер*'],
  ...['# лет', '# летн*', '# года', '#летн*', 'двенадцатилетн*', 'тринадцатилетн*', 'четырнадцатилетн*'],
  ...['пятнадцатилетн*', 'шестнадцатилетн*', 'семнадцатилетн*', 'десятилетняя', 'десятилетний'],
  // hi
  ...['बच्चा', 'बच्ची', 'बच्चे', 'बच्चों', 'बच्चियों', 'बच्चियाँ', 'बालक', 'बालिका', 'बालिकाओं', 'नाबालिग', 'किशोर', 'किशोरी'],
  ...['किशोरों', 'शिशु', 'छात्रा', 'स्कूली लड़की', 'छोटी लड़की', 'छोटा लड़का', '# साल', '# वर्ष', '# वर्षीय', '# बरस'],
  ...['bachcha', 'bachchi', 'bachche', 'nabalig', 'ladki choti', 'choti ladki', '# saal'],
  // id
  ...['anak', 'bocah', 'balita', 'bayi', 'remaja', 'gadis kecil', 'gadis cilik'],
  ...['bawah umur', 'siswi', 'siswa', 'murid', 'pelajar', 'abg', '# tahun'],
]

/** Words for people of either side of eighteen: taken for minors beside nudity and acts, not beside what is suggestive. */
export const YOUTH_TERMS: readonly string[] = [
  ...['girl', 'girls', 'boy', 'boys'],
  ...['fille', 'filles', 'garçon', 'garçons'],
  ...['пацан*'],
  ...['लड़की', 'लड़कियाँ', 'लड़कियों', 'लड़का', 'लड़के', 'लड़कों', 'ladki', 'ladka'],
  ...['gadis', 'perawan', 'perempuan muda'],
]

/** Terms that mean abuse of minors by themselves. */
export const ABUSE_TERMS: readonly string[] = [
  ...[
    'jailbait',
    'lolicon',
    'shotacon',
    'pedophile porn',
    'pedo porn',
    'kiddie porn',
    'kiddy porn',
    'csam',
    'pedoporn*',
  ],
  ...['pédopornograph*', 'pédoporno', 'детское порно', 'цп видео', 'बाल अश्लीलता', 'pornografi anak'],
]
