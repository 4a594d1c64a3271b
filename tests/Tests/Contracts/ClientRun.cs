using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Tests.Support;

namespace Stoa.Tests.Contracts;

/// <summary>Where a client is pointed. <c>Only</c> limits the scenarios; <c>Model</c> replaces the scenario's own model.</summary>
internal sealed record ClientTarget(string Name, Uri BaseUrl, string Key, string Prefix)
{
    public IReadOnlyDictionary<string, string>? Prefixes { get; init; }

    public string? Model { get; init; }

    public IReadOnlyList<string>? Only { get; init; }
}

/// <summary>
/// One run of a vendor's client: a single node process plays every scenario against every target, the tests read the results.
/// Targets: <c>provider</c> is the scripted provider itself (so the script is judged by the same client), <c>same</c> and
/// <c>other</c> are Stoa before a provider of the client's dialect or of the other one, <c>gemini</c> before one of Gemini's, <c>demo</c>
/// is Stoa's own provider.
/// </summary>
public abstract class ClientRun(string script, string kind, string otherKind) : IAsyncLifetime
{
    internal const string LongText = "It was a dark night and the harbour lay still while seven ships waited for the morning tide.";

    private static readonly string[] Faults = ["missing_at_provider", "retry", "retry_later", "cut", "unfinished", "garbage"];
    private static readonly string[] ScriptedTargets = ["provider", "same", "other", "gemini"];

    private readonly Dictionary<(string Target, string Scenario), JsonNode> _results = [];
    private HostUnderTest? _stoa;

    public ScriptedProvider Provider { get; private set; } = null!;

    private static string Folder => Path.Combine(Repository.Root, "tests", "Contracts");

    public async ValueTask InitializeAsync()
    {
        if (!Directory.Exists(Path.Combine(Folder, "node_modules")))
        {
            return;
        }
        Provider = await ScriptedProvider.StartAsync();
        foreach (var target in ScriptedTargets)
        {
            Script(target);
        }
        _stoa = await HostUnderTest.StartAsync(Settings());
        var stoa = _stoa.Client.BaseAddress!;
        await PlayAsync(
        [
            new("provider", Provider.BaseAddress, Provider.Key, ""),
            new("same", stoa, HostProcess.DevelopmentKey, $"{kind}/") { Prefixes = FaultPrefixes(kind) },
            new("other", stoa, HostProcess.DevelopmentKey, $"{otherKind}/") { Prefixes = FaultPrefixes(otherKind) },
            new("gemini", stoa, HostProcess.DevelopmentKey, "gemini/") { Prefixes = FaultPrefixes("gemini") },
            new("demo", stoa, HostProcess.DevelopmentKey, "demo/")
            {
                Model = "demo/demo",
                Only = ["text", "stream", "schema", "unicode", "embeddings", "count_tokens", "response", "response_stream", "batch"],
            },
        ]);
    }

    public async ValueTask DisposeAsync()
    {
        if (_stoa is not null)
        {
            await _stoa.DisposeAsync();
        }
        if (Provider is not null)
        {
            await Provider.DisposeAsync();
        }
        GC.SuppressFinalize(this);
    }

    internal JsonNode Result(string target, string scenario)
    {
        Assert.SkipUnless(
            Directory.Exists(Path.Combine(Folder, "node_modules")),
            "The npm clients are not installed: run 'npm ci' in tests/Contracts.");
        var result = _results[(target, scenario)];
        // Printed when the test fails: a client's error says more than a missing value.
        TestContext.Current.TestOutputHelper?.WriteLine(result.ToJsonString());
        return result;
    }

    /// <summary>What the provider received for a scenario, in the order of arrival.</summary>
    internal IReadOnlyList<ScriptedRequest> Upstream(string target, string scenario) => Provider.RequestsFor($"{scenario}-{target}");

    // A fault opens circuits and marks keys as limited, so each has a provider of its own.
    private static Dictionary<string, string> FaultPrefixes(string kind) =>
        Faults.ToDictionary(fault => fault, fault => $"{FaultyProvider(kind, fault)}/", StringComparer.Ordinal);

    private static string FaultyProvider(string kind, string fault) => $"{kind}-{fault.Replace('_', '-')}";

    private void Script(string target)
    {
        Provider.EnqueueFor($"tools-{target}", ScriptedAnswer.ToolCalls(new ScriptedCall("get_weather", """{"city":"Zürich"}""")));
        Provider.EnqueueFor($"parallel_tools-{target}", ScriptedAnswer.ToolCalls(
            new ScriptedCall("get_weather", """{"city":"Zürich"}"""),
            new ScriptedCall("get_weather", """{"city":"Oslo"}""")));
        Provider.EnqueueFor($"response_tools-{target}", ScriptedAnswer.ToolCalls(
            new ScriptedCall("get_weather", """{"city":"Zürich"}"""),
            new ScriptedCall("get_weather", """{"city":"Oslo"}""")));
        Provider.EnqueueFor($"response_stream-{target}", ScriptedAnswer.Default.SplitBytes(1));
        Provider.EnqueueFor($"missing_at_provider-{target}", ScriptedAnswer.Error(404));
        var limited = ScriptedAnswer.Error(429, retryAfter: TimeSpan.FromSeconds(1));
        Provider.EnqueueFor($"retry-{target}", limited, limited, limited);
        Provider.EnqueueFor($"retry_later-{target}", ScriptedAnswer.Error(429, retryAfter: TimeSpan.FromSeconds(30)));
        // A host under load may see the cut before the head, and then asks again.
        var cut = ScriptedAnswer.Text(LongText).Cut(after: 8);
        Provider.EnqueueFor($"cut-{target}", cut, cut, cut);
        Provider.EnqueueFor($"unfinished-{target}", ScriptedAnswer.Text(LongText).EndWithoutFinish());
        Provider.EnqueueFor($"garbage-{target}", ScriptedAnswer.Garbage(), ScriptedAnswer.Garbage(), ScriptedAnswer.Garbage());
        Provider.EnqueueFor($"unicode-{target}", ScriptedAnswer.Default.SplitBytes(1), ScriptedAnswer.Default.SplitBytes(1));
        Provider.EnqueueFor($"disconnect-{target}", ScriptedAnswer.Text(LongText).Hold(after: 8));
        Provider.EnqueueFor($"disconnect_while_waiting-{target}", ScriptedAnswer.Text(LongText).Hold());
        if (target == "provider")
        {
            var unknown = ScriptedAnswer.Error(404);
            Provider.EnqueueFor("no-such-model", unknown);
        }
    }

    private Dictionary<string, string?> Settings() => new[] { kind, otherKind, "gemini" }
        .SelectMany(each => Faults.Select(fault => (Name: FaultyProvider(each, fault), Kind: each)).Append((Name: each, Kind: each)))
        .SelectMany(provider => HostUnderTest.ProviderSettings(provider.Name, provider.Kind, Provider))
        .ToDictionary(StringComparer.Ordinal);

    private async Task PlayAsync(IReadOnlyList<ClientTarget> targets)
    {
        var start = new ProcessStartInfo("node", [script])
        {
            WorkingDirectory = Folder,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var node = Process.Start(start) ?? throw new InvalidOperationException("node could not be started.");
        var complaints = node.StandardError.ReadToEndAsync();
        await node.StandardInput.WriteAsync(JsonSerializer.Serialize(new { targets }, JsonSerializerOptions.Web));
        node.StandardInput.Close();
        while (await node.StandardOutput.ReadLineAsync() is { } line)
        {
            var result = JsonNode.Parse(line)!;
            _results[((string)result["target"]!, (string)result["scenario"]!)] = result["result"]!;
        }
        await node.WaitForExitAsync();
        Assert.True(node.ExitCode == 0, await complaints);
    }
}
