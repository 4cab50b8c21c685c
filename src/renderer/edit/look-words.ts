import { patterns } from '../storyboard/prompt-words.ts'

/** How a video can be made to look and feel. */
export const LOOK_NAMES = [
  'warm',
  'cold',
  'monochrome',
  'sepia',
  'vivid',
  'muted',
  'brighter',
  'darker',
  'vintage',
  'cinematic',
  'dreamy',
  'blurred',
  'vignette',
  'grainy',
  'foggy',
  'slow',
  'fast',
] as const
export type LookName = (typeof LOOK_NAMES)[number]

/** Words that ask for a look; each line is one language: English, French, Russian, Hindi, Indonesian. */
export const LOOK_WORDS = {
  warm: patterns(`
    warm warmer warmth cozy cosy autumn* fall+colors summer* hot fire
    chaud* chaleur* automn* ete estival*
    тепл* осен* лето летн* уют* жарк*
    गर्म* गरम* पतझड शरद गर्मी*
    hangat* musim+gugur musim+panas`),
  cold: patterns(`
    cold colder cool cooler icy chilly winter* frosty frozen
    froid* frais hiver* hivernal* glacial*
    холод* прохлад* зима зимн* ледян* мороз*
    ठंडा ठंडे ठंडी ठण्डा शीत* सर्द* सर्दी*
    dingin* sejuk* musim+dingin beku`),
  monochrome: patterns(`
    black+and+white b+w bw monochrom* grayscale greyscale gray grey noir desaturat* colorless colourless
    noir+et+blanc monochrom* gris grise niveaux+de+gris
    черно+бел* чернобел* монохром* серый серым нуар*
    श्वेत+श्याम काला+सफेद ब्लैक+एंड+व्हाइट मोनोक्रोम*
    hitam+putih monokrom* abu+abu`),
  sepia: patterns('sepia сепи* सेपिया brown+tone* coklat*'),
  vivid: patterns(`
    vivid* vibrant* saturat* colorful* colourful* pop+art bright+colors bright+colours rich+colors
    vif vifs vive vives eclatant* sature* colore*
    ярк+цвет* ярче+цвет* насыщен* сочн* красочн* разноцвет*
    जीवंत* रंगीन* चटकीला चटकीले रंग+बिरंगा
    cerah+warna berwarna* hidup+warna jenuh*`),
  muted: patterns(`
    muted pastel* faded soft+colors matte pale
    pastel* pale pales doux douce delav*
    пастел* приглуш* блеклый блекл* матов*
    हल्के+रंग पेस्टल* फीका फीके
    pastel* pucat pudar* lembut`),
  brighter: patterns(`
    bright* lighter light+up lighten* luminous overexposed sunny sunlit
    lumineu* eclairci* clair claire plus+clair ensoleill*
    ярк* светл* осветл* солнечн*
    उज्ज्वल* चमकीला चमकीले चमकदार उजला उजले रोशन*
    terang* cerah* cahaya`),
  darker: patterns(`
    dark* dim dimmer gloomy moody shadow* underexposed horror scary spooky
    sombre* fonce* obscur* tenebr* lugubre* horreur
    темн* мрачн* тени хоррор* ужас* страшн*
    अंधेरा अंधेरे अँधेरा गहरा डरावना डरावनी भयानक
    gelap* suram* redup* horor seram menakutkan`),
  vintage: patterns(`
    vintage retro old+film old+movie film+look 70s 80s 90s vhs analog* polaroid nostalg* super+8 antique
    vintage retro ancien* vieux+film pellicule nostalg* annees
    винтаж* ретро стар+пленк* старое+кино старый+фильм пленочн* пленк* ностальг*
    विंटेज* रेट्रो* पुरानी+फिल्म पुराना पुराने पुरानी
    vintage retro jadul film+lama kuno klasik`),
  cinematic: patterns(`
    cinematic* cinema movie* film+grade hollywood blockbuster dramatic* epic
    cinematograph* cinema hollywood* dramatiq* epique*
    кино кинематограф* кинош* драматич* эпич* голливуд*
    सिनेमाई* सिनेमैटिक* फिल्मी* नाटकीय*
    sinematik* sinema film dramatis* epik`),
  dreamy: patterns(`
    dream* glow* ethereal soft+focus magic* fairy* fantasy heaven* bloom* halo romantic*
    reve reves revant* onirique* lueur* feerique* magique* romantique* brill*
    сказочн* мечтат* сон сны волшеб* сияни* свечени* романтич*
    सपना सपने स्वप्न* जादुई* चमक परी रोमांटिक*
    mimpi* bercahaya* ajaib* magis* dongeng romantis*`),
  blurred: patterns(`
    blur* out+of+focus defocus* bokeh
    flou* defocalis*
    размы* расфокус* нерезк* боке
    धुंधला धुंधले धुंधली ब्लर*
    buram* kabur* blur`),
  vignette: patterns('vignett* vignet* виньет* विगनेट* spotlight vinyet*'),
  grainy: patterns(`
    grain* noise noisy gritty
    grain* bruit
    зерн* шум шумн*
    दानेदार* शोर
    berbintik* bintik noise`),
  foggy: patterns(`
    fog* mist* haze hazy smok* steam*
    brouillard* brume* fumee*
    туман* дымк* дым дыма пар
    कोहरा कोहरे धुंध धुआ* धुआँ
    kabut* berkabut asap`),
  slow: patterns(`
    slow* slowmo calm* gentle gently peaceful
    ralenti* lent lente lentement calme* paisible*
    замедл* медлен* слоумо спокойн*
    धीमा धीमी धीमे धीरे शांत
    lambat* pelan* tenang*`),
  fast: patterns(`
    fast* quick* speed* energetic hyper* timelapse time+lapse action dynamic* intense rush
    rapide* accelere* vite energiqu* dynamiqu* intense*
    быстр* ускор* энергичн* динамич* таймлапс*
    तेज तेजी फुर्तीला ऊर्जावान* गतिशील*
    cepat* kencang energik* dinamis*`),
} as const satisfies Record<LookName, unknown>
