using System.ComponentModel.DataAnnotations;
using Stoa.Gateway.Delivery;

namespace Stoa.Gateway;

/// <summary>Section <c>Gateway</c> of the settings.</summary>
internal sealed class GatewayOptions
{
    /// <summary>Providers by the name that prefixes their models (<c>openai/gpt-4o</c>).</summary>
    public Dictionary<string, ProviderOptions> Providers { get; set; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Names for models that several providers, or one with several keys, serve.</summary>
    public Dictionary<string, ModelOptions> Models { get; set; } = new(StringComparer.Ordinal);

    /// <summary>
    /// In which generation of GTWY's wire agents are returned: <c>settings</c>, or <c>flat</c> for clients of early 2026.
    /// </summary>
    public Agents.AgentShapeName AgentShape { get; set; } = Agents.AgentShapeName.Settings;

    public TimeoutOptions Timeouts { get; set; } = new();

    public OriginalKeysOptions OriginalKeys { get; set; } = new();
    /// <summary>Hand batches to their provider's own batch API, where it has one.</summary>
    public bool NativeBatches { get; set; } = true;

    public SpoolOptions Spool { get; set; } = new();

    public UsageOptions Usage { get; set; } = new();

    /// <summary>How long an answer may be given again unless the request says otherwise; at most a week.</summary>
    [Range(1, 604_800)]
    public int CacheTtlSeconds { get; set; } = 3_600;

    /// <summary>What cached answers may take in memory; the others are read from the database.</summary>
    [Range(1, 65_536)]
    public int CacheMaxMb { get; set; } = 64;

    public QueueOptions Queue { get; set; } = new();

    public PushMode PushMode { get; set; }

    public PushOptions Push { get; set; } = new();

    /// <summary>Repeats of a call that failed in a way that may pass, before anything reached the client.</summary>
    [Range(0, 10)]
    public int Retries { get; set; } = 2;

    [Range(1, 1_000_000)]
    public int MaxInFlightPerOrganization { get; set; } = 2_000;

    [Range(1, 1_000_000)]
    public int MaxInFlight { get; set; } = 10_000;

    /// <summary>The version sent to Anthropic when the client names none.</summary>
    [Required]
    public string AnthropicVersion { get; set; } = "2023-06-01";

    /// <summary>Where agents' functions answer, at <c>/func/{script}</c>.</summary>
    [Required, Url]
    public string FunctionBaseUrl { get; set => field = value.TrimEnd('/'); } = "https://flow.sokt.io";

    /// <summary>Counts an agent's rounds of tools exactly, instead of letting one more pass.</summary>
    public bool StrictIterations { get; set; }

    /// <summary>
    /// Has an agent's own model write its prompt after its purpose, and at each publishing its starter questions, its summary and the score
    /// of its prompt.
    /// </summary>
    public bool DescribeAgents { get; set; } = true;

    public CrawlerOptions Crawler { get; set; } = new();

    /// <summary>Whom the errors of runs send people to.</summary>
    [Required]
    public string SupportContact { get; set; } = "support@gtwy.ai";
}

internal sealed class ProviderOptions
{
    /// <summary>
    /// <c>openai</c>, <c>anthropic</c>, <c>gemini</c>, <c>demo</c>, or one of the OpenAI-compatible kinds of docs/configuration.md.
    /// </summary>
    [Required]
    public string Kind { get; set; } = "";

    /// <summary>Where the provider answers; each kind of a public provider has its own default.</summary>
    public string? BaseUrl { get; set => field = value?.TrimEnd('/'); }

    public string? ApiKey { get; set; }

    /// <summary>Whether it speaks OpenAI's Responses API beside chat completions. Absent: as its kind does.</summary>
    public bool? HasResponses { get; set; }

    /// <summary>Models this provider serves. Empty: any name is passed on, but a bare name never resolves to it.</summary>
    public List<string> Models { get; set; } = [];
}

/// <summary>The service that reads pages of the web for the tool <c>Gtwy_Web_Search</c>.</summary>
internal sealed class CrawlerOptions
{
    [Required, Url]
    public string Url { get; set => field = value.TrimEnd('/'); } = "https://api.firecrawl.dev";

    /// <summary>Without one the tool says that it is not configured.</summary>
    public string? ApiKey { get; set; }
}

internal sealed class ModelOptions
{
    /// <summary>
    /// <c>priority</c>: the first target that may answer. <c>weighted</c>: in turn, as the weights say. The others follow when it fails.
    /// </summary>
    public ModelStrategy Strategy { get; set; } = ModelStrategy.Priority;

    public List<ModelTargetOptions> Targets { get; set; } = [];
}

internal sealed class ModelTargetOptions
{
    /// <summary><c>provider/model</c></summary>
    public string Model { get; set; } = "";

    /// <summary>Its share of the calls, from 1 to 1,000, where the strategy is <c>weighted</c>.</summary>
    public int Weight { get; set; } = 1;
}

internal enum ModelStrategy
{
    Priority,
    Weighted,
}

internal sealed class TimeoutOptions
{
    [Range(100, 60_000)]
    public int ConnectMs { get; set; } = 10_000;

    /// <summary>Until the first byte of a streamed answer.</summary>
    [Range(100, 600_000)]
    public int FirstByteMs { get; set; } = 60_000;

    /// <summary>Until the whole of an answer that is not streamed.</summary>
    [Range(100, 600_000)]
    public int NonStreamMs { get; set; } = 300_000;

    /// <summary>Between two events of a stream.</summary>
    [Range(100, 600_000)]
    public int IdleMs { get; set; } = 60_000;

    [Range(100, 3_600_000)]
    public int TotalMs { get; set; } = 600_000;

    /// <summary>For one call of an agent's tool, unless the tool says otherwise.</summary>
    [Range(100, 120_000)]
    public int ToolMs { get; set; } = 30_000;
}

/// <summary>With both, providers' keys may be brought in as the original stores them.</summary>
internal sealed class OriginalKeysOptions
{
    /// <summary>The original's <c>Encreaption_key</c>.</summary>
    public string? EncryptionKey { get; set; }

    /// <summary>The original's <c>Secret_IV</c>.</summary>
    public string? SecretIv { get; set; }
}

internal sealed class SpoolOptions
{
    /// <summary>When this much usage waits for the database, new calls get 503.</summary>
    [Range(16, 65_536)]
    public int MaxMb { get; set; } = 256;
}

internal sealed class UsageOptions
{
    /// <summary>Months for which the rows of single calls are kept besides the current one.</summary>
    [Range(1, 1_200)]
    public int KeepMonths { get; set; } = 13;

    /// <summary>Months for which sums over quarters of an hour are kept besides the current one; those over days stay.</summary>
    [Range(1, 1_200)]
    public int KeepQuartersMonths { get; set; } = 25;

    /// <summary>Months for which the history of agents and the results of test cases are kept besides the current one.</summary>
    [Range(1, 1_200)]
    public int KeepRunsMonths { get; set; } = 25;
}
