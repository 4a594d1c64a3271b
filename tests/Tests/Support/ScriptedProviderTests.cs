using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Stoa.Tests.Support;

/// <summary>The judge is judged first: what tests rely on when they script a provider.</summary>
public sealed class ScriptedProviderTests : IAsyncLifetime
{
    private const string Question = "How many ships wait for the tide?";

    private readonly HttpClient _client = new();
    private ScriptedProvider _provider = null!;

    private static CancellationToken Test => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _provider = await ScriptedProvider.StartAsync();
        _client.BaseAddress = _provider.BaseAddress;
        _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", _provider.Key);
        _client.DefaultRequestHeaders.Add("anthropic-version", "2023-06-01");
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _provider.DisposeAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Usage_is_predictable_and_equal_in_both_dialects(bool streams)
    {
        var body = new JsonObject { ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = Question }) };
        var expected = ScriptedUsage.For(body);

        Assert.Equal(expected, await GatewayCalls.ChatAsync(_client, "model", Question, streams));
        Assert.Equal(expected, await GatewayCalls.MessageAsync(_client, "model", Question, streams));
        Assert.Equal(expected + expected, _provider.Reported);
        Assert.Equal(new ScriptedUsage(7, 9, CacheRead: 1), expected);
    }

    [Fact]
    public async Task A_model_with_a_script_of_its_own_leaves_the_others_alone()
    {
        _provider.EnqueueFor("scripted", ScriptedAnswer.Text("by script"));
        Assert.Contains("You said", await AskAsync("another", Test), StringComparison.Ordinal);
        Assert.Contains("by script", await AskAsync("scripted", Test), StringComparison.Ordinal);
        Assert.Contains("You said", await AskAsync("scripted", Test), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_held_answer_comes_when_it_is_released()
    {
        var release = new TaskCompletionSource();
        _provider.Enqueue(ScriptedAnswer.Text("at last").Hold(release: release.Task));
        var answer = AskAsync("model", Test);
        await _provider.NextRequestAsync(Test);
        Assert.False(answer.IsCompleted);
        release.SetResult();
        Assert.Contains("at last", await answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_caller_that_leaves_is_noticed()
    {
        _provider.Enqueue(ScriptedAnswer.Text("never").Hold());
        using var leave = new CancellationTokenSource();
        var answer = AskAsync("model", leave.Token);
        var request = await _provider.NextRequestAsync(Test);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answer);
        Assert.Same(request, await _provider.NextAbortAsync(Test));
        Assert.Null(request.Reported);
    }

    [Fact]
    public async Task A_wrong_key_is_refused()
    {
        _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "other");
        using var answer = await PostAsync("model", Test);
        Assert.Equal(401, (int)answer.StatusCode);
    }

    private async Task<string> AskAsync(string model, CancellationToken ct)
    {
        using var answer = await PostAsync(model, ct);
        return await answer.Content.ReadAsStringAsync(ct);
    }

    private Task<HttpResponseMessage> PostAsync(string model, CancellationToken ct) => _client.PostAsJsonAsync(
        new Uri("/v1/chat/completions", UriKind.Relative),
        new { model, messages = new[] { new { role = "user", content = Question } } },
        ct);
}
