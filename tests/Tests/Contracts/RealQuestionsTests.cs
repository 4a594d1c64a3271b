using System.Text.Json.Nodes;
using Stoa.Tests.Support;

namespace Stoa.Tests.Contracts;

/// <summary>The 80 questions of the Vicuna benchmark, asked in both dialects of all three providers, every other one as a stream.</summary>
public sealed class QuestionsRun : IAsyncLifetime
{
    internal const int Questions = 80;

    private static readonly string File = Path.Combine(Repository.Root, "..", "shared", "data", "vicuna-bench", "questions.jsonl");

    internal static bool HasData => System.IO.File.Exists(File);

    internal Dictionary<string, ScriptedUsage> Answered { get; } = new(StringComparer.Ordinal);

    internal Dictionary<string, ScriptedUsage> Reported { get; } = new(StringComparer.Ordinal);

    internal IReadOnlyDictionary<string, JsonNode> Stored { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        if (!HasData)
        {
            return;
        }
        var questions = System.IO.File.ReadLines(File).Select(line => (string)JsonNode.Parse(line)!["text"]!).ToList();
        await using var openai = await ScriptedProvider.StartAsync();
        await using var anthropic = await ScriptedProvider.StartAsync();
        await using var host = await HostUnderTest.StartAsync(HostUnderTest.ProviderSettings("openai", "openai", openai)
            .Concat(HostUnderTest.ProviderSettings("anthropic", "anthropic", anthropic)).ToDictionary(StringComparer.Ordinal));
        var client = host.Client;
        client.DefaultRequestHeaders.Authorization = new("Bearer", HostProcess.DevelopmentKey);
        foreach (var model in (string[])["openai/vicuna", "anthropic/vicuna", "demo/demo"])
        {
            Answered[model.Split('/')[0]] = await AskAllAsync(client, model, questions);
        }
        Reported["openai"] = openai.Reported;
        Reported["anthropic"] = anthropic.Reported;
        Stored = await UsageReader.SumsAsync(client, 6 * Questions);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static async Task<ScriptedUsage> AskAllAsync(HttpClient client, string model, List<string> questions)
    {
        var sum = ScriptedUsage.None;
        for (var index = 0; index < questions.Count; index++)
        {
            var streams = index % 2 == 1;
            sum += await GatewayCalls.ChatAsync(client, model, questions[index], streams);
            sum += await GatewayCalls.MessageAsync(client, model, questions[index], streams);
        }
        return sum;
    }
}

public sealed class RealQuestionsTests(QuestionsRun run) : IClassFixture<QuestionsRun>
{
    [Theory]
    [InlineData("openai")]
    [InlineData("anthropic")]
    [InlineData("demo")]
    public void Stored_usage_equals_what_the_provider_reported(string provider)
    {
        Assert.SkipUnless(QuestionsRun.HasData, "../shared/data/vicuna-bench is not here.");
        var expected = run.Reported.GetValueOrDefault(provider) ?? run.Answered[provider];
        var stored = run.Stored[provider];
        Assert.Equal(2 * QuestionsRun.Questions, (long)stored["calls"]!);
        Assert.Equal(
            (expected.Input, expected.Output, expected.CacheRead),
            ((long)stored["input_tokens"]!, (long)stored["output_tokens"]!, (long)stored["cache_read_tokens"]!));
        Assert.True(expected is { Input: > 1000, Output: > 1000 });
    }

    [Theory]
    [InlineData("openai")]
    [InlineData("anthropic")]
    public void The_client_is_told_what_the_provider_reported(string provider)
    {
        Assert.SkipUnless(QuestionsRun.HasData, "../shared/data/vicuna-bench is not here.");
        Assert.Equal(run.Reported[provider], run.Answered[provider]);
    }
}
