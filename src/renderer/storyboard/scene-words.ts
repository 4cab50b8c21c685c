import { patterns } from './prompt-words.ts'

/** The scenes that the renderer can draw. */
export const SCENE_KINDS = [
  'mountains',
  'sea',
  'city',
  'forest',
  'desert',
  'space',
  'rain',
  'snow',
  'meadow',
  'studio',
  'abstract',
] as const
export type SceneKind = (typeof SCENE_KINDS)[number]

/** Words that call for a scene; each line is one language: English, French, Russian, Hindi, Indonesian. */
export const SCENE_WORDS = {
  mountains: patterns(`
    mountain* peak peaks summit* alps alpine cliff* canyon* valley* hill hills volcano* glacier* himalaya* ridge*
    montagne* sommet* alpes alpin* falaise* vallee* colline* volcan*
    гора горы горе гору горой горах горам горн* вершин* скал* долин* холм* вулкан* ущель*
    पहाड* पर्वत* हिमालय* चोटी* चोटियो* घाटी* ज्वालामुखी*
    gunung* pegunungan puncak* bukit* perbukitan tebing* lembah*`),
  sea: patterns(`
    sea seas ocean* wave waves beach* coast* shore* seaside island* lake* bay sail* boat* ship ships surf* lighthouse*
    mer mers plage* vague vagues rivage* cote ile iles lac lacs voilier* bateau* phare*
    море моря морю морем морск* океан* волн* пляж* берег* остров* озер* лодк* корабл* парус* маяк*
    समुद्र* सागर* लहर* तट* द्वीप* झील* नाव* जहाज*
    laut lautan samudra* ombak* pantai* pesisir* pulau* danau* perahu* kapal* mercusuar`),
  city: patterns(`
    city cities town* urban skyline* skyscraper* street* downtown building* neon cyberpunk tokyo york traffic car cars
    ville villes urbain* gratte rue rues immeuble* neons paris voiture* circulation
    город* улиц* небоскреб* неон* мегаполис* здани* москв* машин* автомобил*
    शहर* नगर* सडक* इमारत* गली* गलियो* मुंबई दिल्ली गाडी* नियॉन
    kota kotanya perkotaan jalan jalanan gedung* pencakar jakarta mobil neon`),
  forest: patterns(`
    forest* wood woods woodland* tree trees jungle* pine pines fox foxes deer wolf wolves bear bears grove* mushroom*
    foret* bois arbre* sapin* jungle* renard* cerf* loup* ours champignon*
    лес леса лесу лесом лесн* дерев* джунгл* сосн* елов* лис лиса лисы лису олен* волк* медвед* роща роще
    जंगल* वन वनो पेड* वृक्ष* हिरण* लोमडी भालू भेडिया
    hutan* pohon* rimba pinus rubah rusa serigala beruang`),
  desert: patterns(`
    desert* dune dunes sand sands sahara camel* oasis arid cactus mars martian
    desert* dune dunes sable* sahara chameau* oasis aride*
    пустын* дюн* песок песка песк* сахар* бархан* верблюд* оазис*
    रेगिस्तान* मरुस्थल* रेत* ऊँट* ऊंट* टीले टीलो सहारा थार
    gurun* pasir* bukit+pasir sahara unta oase`),
  space: patterns(`
    space galaxy galaxies planet* nebula* cosmos cosmic universe* astronaut* star stars starship* spaceship* rocket*
    moon alien* supernova*
    espace galaxie* planete* nebuleuse* cosmos cosmique* univers astronaute* etoile* fusee* lune vaisseau*
    космос* космич* галактик* планет* туманност* вселенн* астронавт* космонавт* звезд* ракет* луна луны луне
    अंतरिक्ष* आकाशगंगा* ग्रह* नीहारिका* ब्रह्मांड* ब्रह्माण्ड* तारा तारे तारो सितारे सितारो रॉकेट* चाँद चांद
    luar+angkasa angkasa* antariksa* galaksi* planet* nebula* semesta astronot* astronaut* bintang* roket* bulan+purnama`),
  rain: patterns(`
    rain rains rainy raining rainfall drizzle* storm* thunder* downpour* umbrella* puddle* monsoon*
    pluie* pluvieu* orage* averse* bruine* parapluie* flaque* tempete* mousson*
    дожд* ливень ливн* гроза грозы грозе зонт* луж* муссон*
    बारिश* वर्षा* बरसात* तूफान* छाता छाते मानसून
    hujan* gerimis badai* payung* genangan*`),
  snow: patterns(`
    snow* winter* blizzard* ice icy frost* frozen arctic ski skiing christmas
    neige* hiver* hivernal* blizzard* glace* givre* gele* arctique* noel
    снег* снеж* зима зимы зиме зимой зимн* метел* вьюг* лед льда ледян* мороз* арктик* рождеств*
    बर्फ* हिम हिमपात* शीतकाल सर्दी सर्दियो जाडा जाडे
    salju* bersalju musim+dingin es beku natal`),
  meadow: patterns(`
    garden* meadow* flower* blossom* butterfl* field* park grass* picnic* spring kitten* puppy puppies bee bees farm*
    jardin* prairie* fleur* papillon* champ champs parc herbe* printemps chaton* chiot* abeille* campagne
    сад сада саду садом садик* луг луга лугу цвет* бабоч* поле поля полю парк* трава траве весна весной весенн* котен* котят* щен*
    बगीच* बाग* उद्यान* घास* मैदान* फूल* तितली* तितलियो* खेत* वसंत* पार्क बिल्ली* पिल्ल*
    taman* kebun* padang* bunga* kupu* rumput* sawah* ladang* kucing* anak+anjing musim+semi`),
  studio: patterns(`
    product* studio* showcase* perfume* bottle* smartphone* smartwatch* wristwatch* sneaker* headphone* cosmetic* pedestal* podium*
    advert* commercial* brand* packag* unbox* gadget*
    produit* studio* parfum* flacon* bouteille* montre chaussure* publicit* devoil* presentation+de
    продукт* товар* студи* духи духов флакон* бутыл* часы часов кроссовк* реклам* презентац* бренд*
    उत्पाद* प्रोडक्ट* स्टूडियो* इत्र* बोतल* घडी* जूते जूता विज्ञापन* ब्रांड* अनावरण*
    produk* studio parfum* botol* jam+tangan sepatu iklan* merek* peluncuran kemasan*`),
  abstract: patterns(`
    abstract* geometr* fractal* liquid* fluid* gradient* pattern* shapes psychedelic* dream* music* energy particles
    abstrait* geometri* fractal* liquide* degrade* motif* formes reve reves musique* energie
    абстракт* геометр* фрактал* жидк* градиент* узор* форм* сон сны музык* энерги*
    अमूर्त* ज्यामिति* द्रव* आकृति* पैटर्न* सपना सपने संगीत* ऊर्जा*
    abstrak* geometri* fraktal* cairan* gradien* pola bentuk mimpi* musik* energi*`),
} as const satisfies Record<SceneKind, unknown>
