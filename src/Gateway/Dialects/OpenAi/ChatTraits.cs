namespace Stoa.Gateway.Dialects.OpenAi;

/// <summary>
/// Where a provider of OpenAI's chat API differs from the others in what it takes. One record per kind of provider, not a class: the
/// differences are few and cross each other. Facts are the vendors' documented ones; docs/wire/providers.md lists them for users.
/// </summary>
internal sealed record ChatTraits
{
    /// <summary>A server that is merely compatible: what nearly all of them take.</summary>
    public static readonly ChatTraits Compatible = new();

    public static readonly ChatTraits OpenAi = new()
    {
        MaxOutput = "max_completion_tokens",
        Developer = DeveloperRole.ForReasoningModels,
        User = "safety_identifier",
        TakesAllowedTools = true,
        TakesPartsOfText = true,
        KnowsItsModels = true,
        Thoughts = ThoughtForm.None,
    };

    public static readonly ChatTraits Groq = new()
    {
        MaxOutput = "max_completion_tokens",
        TakesSeveral = false,
        TakesLogprobs = false,
        TakesMetadata = false,
        TakesAudio = false,
        Documents = DocumentForm.None,
        Refused = ["logit_bias", "store", "verbosity", "prediction", "modalities", "audio", "web_search_options", "prompt_cache_key"],
        Reasoning = ReasoningForm.Parsed,
        Thoughts = ThoughtForm.Plain,
        DefaultTier = "on_demand",
    };

    public static readonly ChatTraits OpenRouter = new()
    {
        Developer = DeveloperRole.Always,
        TakesTopK = true,
        TakesSeveral = false,
        TakesMetadata = false,
        TakesVideo = true,
        Documents = DocumentForm.Address,
        Usage = UsageWish.Include,
        Reasoning = ReasoningForm.Nested,
        Thoughts = ThoughtForm.PlainWithDetails,
    };

    public static readonly ChatTraits Mistral = new()
    {
        Forwards = false,
        Seed = "random_seed",
        MaxTemperature = 1.5,
        MaxStops = 16,
        Demand = "any",
        User = null,
        TakesLogprobs = false,
        Documents = DocumentForm.DocumentUrl,
        Usage = UsageWish.None,
        Extras = ["safe_prompt", "prompt_mode", "random_seed", "prediction", "prompt_cache_key", "guardrails"],
        HasShortIds = true,
        NamesResults = true,
        MarksPrefix = true,
        Reasoning = ReasoningForm.Mistral,
        Thoughts = ThoughtForm.Chunks,
        Dimensions = "output_dimension",
    };

    public static readonly ChatTraits Grok = new()
    {
        TakesMetadata = false,
        Refused = ["logit_bias", "store", "verbosity", "prediction", "modalities", "audio"],
        Reasoning = ReasoningForm.LowOrHigh,
        Thoughts = ThoughtForm.Plain,
        Documents = DocumentForm.None,
        TakesAudio = false,
    };

    public static readonly ChatTraits DeepSeek = new()
    {
        MaxStops = 16,
        TakesSeveral = false,
        TakesMetadata = false,
        TakesSchema = false,
        TakesAudio = false,
        Documents = DocumentForm.None,
        User = null,
        Refused = ["logit_bias", "store", "verbosity", "prediction", "modalities", "audio", "web_search_options", "prompt_cache_key"],
        Reasoning = ReasoningForm.Switch,
        Thoughts = ThoughtForm.BesideCalls,
    };

    public static readonly ChatTraits Moonshot = new()
    {
        MaxTemperature = 1,
        MaxStops = 5,
        TakesMetadata = false,
        TakesAudio = false,
        Documents = DocumentForm.None,
        User = null,
        Demand = null,
        Reasoning = ReasoningForm.Switch,
        Thoughts = ThoughtForm.BesideCalls,
    };

    /// <summary>False where OpenAI's words are not the provider's, so that even a client of OpenAI's API has to be translated.</summary>
    public bool Forwards { get; private init; } = true;

    /// <summary>The field for the most tokens of an answer.</summary>
    public string MaxOutput { get; private init; } = "max_tokens";

    public string Seed { get; private init; } = "seed";

    public double MaxTemperature { get; private init; } = 2;

    public int MaxStops { get; private init; } = 4;

    /// <summary>The word of <c>tool_choice</c> that demands a call; null where none can be demanded.</summary>
    public string? Demand { get; private init; } = "required";

    /// <summary>The field for who the client's user is; null where there is none.</summary>
    public string? User { get; private init; } = "user";

    public bool TakesTopK { get; private init; }

    /// <summary>Whether <c>n</c> may be more than one.</summary>
    public bool TakesSeveral { get; private init; } = true;

    public bool TakesLogprobs { get; private init; } = true;

    public bool TakesMetadata { get; private init; } = true;

    /// <summary>Whether an answer's format may be a schema; otherwise it is any JSON, and the schema goes into the prompt.</summary>
    public bool TakesSchema { get; private init; } = true;

    public bool TakesAudio { get; private init; } = true;

    public bool TakesVideo { get; private init; }

    public bool TakesAllowedTools { get; private init; }

    /// <summary>Whether a content may be a list of texts. Small servers know a list of parts only from pictures, if at all.</summary>
    public bool TakesPartsOfText { get; private init; }

    /// <summary>Whether models are OpenAI's own, of which it is known which reason.</summary>
    public bool KnowsItsModels { get; private init; }

    /// <summary>Ids of calls are nine letters and digits.</summary>
    public bool HasShortIds { get; private init; }

    /// <summary>A result says the name of its tool too.</summary>
    public bool NamesResults { get; private init; }

    /// <summary>An assistant's message at the end, which the model is to go on with, is marked as such.</summary>
    public bool MarksPrefix { get; private init; }

    /// <summary>What <c>service_tier: default</c> is called.</summary>
    public string DefaultTier { get; private init; } = "default";

    /// <summary>What an embedding's length is called.</summary>
    public string Dimensions { get; private init; } = "dimensions";

    /// <summary>The only fields without a canonical form that are taken; null where the provider ignores what it does not know.</summary>
    public string[]? Extras { get; private init; }

    /// <summary>Fields of OpenAI's that are known to be refused.</summary>
    public string[] Refused { get; private init; } = [];

    public DeveloperRole Developer { get; private init; }

    public UsageWish Usage { get; private init; }

    public DocumentForm Documents { get; private init; }

    public ReasoningForm Reasoning { get; private init; }

    public ThoughtForm Thoughts { get; private init; }

    public bool TakesExtra(string name) => (Extras is null || Extras.Contains(name)) && !Refused.Contains(name);

    public string CallId(string id) => HasShortIds ? ToolNames.ShortId(id) : ToolNames.OpenAiId(id);
}

/// <summary>When system text is sent as <c>developer</c> instead of <c>system</c>.</summary>
internal enum DeveloperRole
{
    Never,
    ForReasoningModels,
    Always,
}

/// <summary>How usage is asked for in a stream.</summary>
internal enum UsageWish
{
    /// <summary><c>stream_options: {include_usage}</c></summary>
    StreamOptions,

    /// <summary>The same, and <c>usage: {include}</c> for whole answers too.</summary>
    Include,

    /// <summary>It comes without being asked for, and asking is refused.</summary>
    None,
}

/// <summary>How a document is sent.</summary>
internal enum DocumentForm
{
    /// <summary><c>file: {file_data, filename}</c></summary>
    File,

    /// <summary>The same, and an address may stand for the data.</summary>
    Address,

    /// <summary><c>document_url</c>, an address or a data URI.</summary>
    DocumentUrl,

    None,
}

/// <summary>How it is said how much to think.</summary>
internal enum ReasoningForm
{
    /// <summary><c>reasoning_effort</c> in OpenAI's words.</summary>
    Effort,

    /// <summary>The same from <c>none</c> to <c>high</c>, with <c>reasoning_format: parsed</c>.</summary>
    Parsed,

    /// <summary><c>reasoning: {effort}</c>, <c>{max_tokens}</c> or <c>{enabled: false}</c>.</summary>
    Nested,

    /// <summary><c>prompt_mode: reasoning</c> for models that always do, else <c>reasoning_effort</c>.</summary>
    Mistral,

    /// <summary><c>reasoning_effort</c>, <c>low</c> or <c>high</c>.</summary>
    LowOrHigh,

    /// <summary><c>thinking: {type: enabled | disabled}</c></summary>
    Switch,
}

/// <summary>How a model's earlier thoughts go back to it.</summary>
internal enum ThoughtForm
{
    /// <summary><c>reasoning_content</c> and <c>reasoning_details</c>.</summary>
    WithDetails,

    None,

    /// <summary><c>reasoning</c></summary>
    Plain,

    /// <summary><c>reasoning</c> and <c>reasoning_details</c>.</summary>
    PlainWithDetails,

    /// <summary><c>reasoning_content</c>, where the message calls tools; elsewhere it would be refused or wasted.</summary>
    BesideCalls,

    /// <summary>Chunks of the content, before the text.</summary>
    Chunks,
}
