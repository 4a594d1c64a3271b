using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Stoa.Tests.Platform.Egress;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Batches;

/// <summary>Batches of agents by the batch APIs of their providers.</summary>
public sealed class NativeRunsTests : IAsyncLifetime
{
    private readonly List<(string Id, JsonNode Body)> told = [];
    private BatchProvider provider = null!;
    private LoopbackSite receiver = null!;
    private HostUnderTest host = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        provider = await BatchProvider.StartAsync();
        receiver = await LoopbackSite.StartAsync(async context =>
        {
            Assert.StartsWith("v1,", context.Request.Headers["webhook-signature"], StringComparison.Ordinal);
            told.Add((context.Request.Headers["webhook-id"].ToString(),
                (await JsonNode.ParseAsync(context.Request.Body, cancellationToken: Ct))!));
        });
        var settings = new Dictionary<string, string?>(StringComparer.Ordinal) { ["Egress:Allow"] = "127.0.0.1" };
        foreach (var kind in (string[])["openai", "groq", "mistral", "anthropic", "gemini"])
        {
            settings[$"Gateway:Providers:{kind}:Kind"] = kind;
            settings[$"Gateway:Providers:{kind}:BaseUrl"] =
                $"{provider.BaseAddress}/{kind}{(kind is "anthropic" or "gemini" ? "" : "/v1")}";
            settings[$"Gateway:Providers:{kind}:ApiKey"] = "of the operator";
            settings[$"Gateway:Providers:{kind}:Models:0"] = "some-model";
        }
        host = await HostUnderTest.StartAsync(settings);
        host.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "stoa-dev");
        using var made = await host.Client.PostAsJsonAsync("/api/stoa/webhooks/secrets", new { }, Ct);
        Assert.True(made.IsSuccessStatusCode, await made.Content.ReadAsStringAsync(Ct));
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        await receiver.DisposeAsync();
        await provider.DisposeAsync();
    }

    [Theory]
    [InlineData("openai")]
    [InlineData("groq")]
    [InlineData("mistral")]
    [InlineData("anthropic")]
    [InlineData("gemini")]
    public async Task Messages_go_to_their_providers_own_batches_with_the_callers_key(string vendor)
    {
        provider.Patience = 1;
        var batch = await StartAsync(vendor);
        await host.RunJobsAsync();
        var waiting =
            await ReadAsync($"select string_agg(document #>> '{{batch_data,status}}', ' ') from gateway.runs where batch_id = '{batch}'");
        var row = (string)(await ReadAsync($"select document::text from gateway.batches where id = '{batch}'"))!;
        await WakeAsync();
        await host.RunJobsAsync();

        Assert.Equal("processing processing", waiting);
        Assert.DoesNotContain("secret", row, StringComparison.Ordinal);
        Assert.DoesNotContain(receiver.Url.ToString(), row, StringComparison.Ordinal);
        var (to, lines) = Assert.Single(provider.Started);
        Assert.Equal((vendor, 2), (to, lines.Count));
        Assert.All(lines, line => Assert.Contains("You are brief.", line!.ToJsonString(), StringComparison.Ordinal));
        var (id, body) = Assert.Single(told);
        Assert.Equal(batch, id);
        Assert.Equal(["You said: one", "You said: two 🗼"], body["response"]!.AsArray().Select(item => (string?)item!["data"]!["content"]));
        Assert.All(body["response"]!.AsArray(), item => Assert.True((int)item!["usage"]!["output_tokens"]! > 0));
        Assert.Equal("completed completed",
            await ReadAsync($"select string_agg(document #>> '{{batch_data,status}}', ' ') from gateway.runs where batch_id = '{batch}'"));
        var usage = await UsageReader.SumsAsync(host.Client, 2);
        Assert.Equal(2, (long)usage[vendor]["calls"]!);
        Assert.Equal(body["response"]!.AsArray().Sum(item => (long)item!["usage"]!["input_tokens"]!), (long)usage[vendor]["input_tokens"]!);
    }

    [Fact]
    public async Task What_the_provider_fails_is_run_here()
    {
        provider.Fails = true;
        await StartAsync("groq");
        await host.RunJobsAsync();
        Assert.Equal(["You said: one", "You said: two 🗼"],
            Assert.Single(told).Body["response"]!.AsArray().Select(item => (string?)item!["data"]!["content"]));
    }

    private async Task<string> StartAsync(string vendor)
    {
        var body = $$"""
            {"service":"{{vendor}}","apikey":"secret","configuration":{"model":"some-model","prompt":"You are brief.","response_type":"text"},
             "batch":["one","two 🗼"],"webhook":{"url":"{{receiver.Url}}"} }
            """;
        using var made = await host.Client.PostAsync(
            new Uri("/api/v2/model/batch/chat/completion", UriKind.Relative),
            new StringContent(body, Encoding.UTF8, "application/json"), Ct);
        var text = await made.Content.ReadAsStringAsync(Ct);
        Assert.True(made.IsSuccessStatusCode, text);
        return (string)JsonNode.Parse(text)!["batch_id"]!;
    }

    /// <summary>As if the wait were over.</summary>
    private Task<object?> WakeAsync() =>
        ReadAsync("update platform.jobs set run_at = now() where kind = 'gateway.run_batch' and state = 'available'");

    private async Task<object?> ReadAsync(string sql)
    {
        await using var command = host.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand(sql);
        return await command.ExecuteScalarAsync(Ct);
    }
}
