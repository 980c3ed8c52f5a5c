/**
 * Room: web widget. Every word the widget itself says, in Dutch: je-form, short, calm. What the assistant
 * says comes from the server.
 */

export const texts = {
  name: "Ademruimte",
  isProgram: "Een computerprogramma, geen mens",
  launcher: "Even ademruimte",
  launcherUnread: "Nieuw bericht",
  minimise: "Venster kleiner maken",
  exit: "Snel sluiten",
  exitWhat: "Wist dit gesprek van dit scherm en toont een lege pagina.",
  help: "Ik heb nu hulp nodig",

  conversation: "Gesprek",
  botSays: "Ademruimte zegt:",
  youSay: "Jij zegt:",
  notice: "Melding:",
  typing: "Ademruimte schrijft",
  newMessages: "Nieuwe berichten",
  toEnd: "Naar het einde",
  starting: "Even verbinden…",
  waiting: "Nog niet verstuurd",
  refused: "Niet verstuurd.",

  inputLabel: "Typ je bericht",
  send: "Verstuur",
  characters: (used: string, limit: string) => `${used} van ${limit} tekens`,
  charactersFull: (limit: string) => `Je bericht is zo lang als kan: ${limit} tekens.`,

  choices: "Kies een antwoord, of typ zelf iets",
  choicesSpoken: (titles: string) => `Je kan kiezen uit: ${titles}.`,
  scaleFallbackName: "Kies een getal",
  scaleHint: "Tik op een getal, of typ het.",
  scaleKeys: " Met het toetsenbord: pijltjes en dan Enter.",
  scaleSpoken: (min: number, max: number) => `Kies een getal van ${min} tot ${max}.`,
  scaleEnd: (value: number, label: string) => `${value} = ${label}`,
  skip: "Sla over",

  chartValue: (value: number, max: number) => `${value} van ${max}`,
  chartSkipped: "Overgeslagen",
  chartLowerIsConcern: "Hier is een hoge score goed.",
  chartAlert: "vraagt aandacht",
  chartNorm: (mean: string) => `gemiddelde ${mean}`,
  chartPrevious: (value: number) => `vorige keer ${value}`,
  legendValue: "jouw score",
  legendPrevious: "vorige keer",
  legendConcern: "vraagt aandacht",
  table: "Toon als tabel",
  tableScroll: "Tabel met je scores",
  tableItem: "Vraag",
  tableValue: "Jouw score",
  tableBand: "Dat is",
  tableNorm: "Gemiddelde",
  tablePrevious: "Vorige keer",
  tableNone: "–",

  call: (number: string) => `Bel ${number}`,
  website: "Website (opent een nieuw tabblad)",

  helpTitle: "Mensen die je kunnen helpen",
  helpIntro: "Ik ben een computerprogramma en kan geen hulp sturen. Een mens aan de telefoon kan je wel verder helpen.",
  helpDanger: "Is er nu gevaar voor jou of iemand anders? Bel 112.",
  helpRegion: "Waar ben je?",
  helpBack: "Terug naar het gesprek",

  offline: "Geen verbinding. Wat je typt, wordt bewaard en verstuurd zodra het weer kan.",
  newConversation: "Je vorige gesprek is gewist of verlopen. We beginnen opnieuw.",
  unknownError: "Er ging iets mis. Probeer het nog eens.",
} as const;
