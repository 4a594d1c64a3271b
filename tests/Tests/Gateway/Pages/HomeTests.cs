using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Stoa.Platform.Identity;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Pages;

public sealed class HomeTests(TestCluster cluster, HomeTests.Office office) : IClassFixture<HomeTests.Office>
{
    private const string Hostile = "<img src=x onerror=alert(1)>";

    [Fact]
    public async Task A_stranger_sees_that_it_runs_and_how_to_begin_and_nothing_of_the_settings()
    {
        var site = await office.FreshAsync();
        using var browser = site.Browser();

        var page = await browser.GetAsync("/");

        Assert.Equal(HttpStatusCode.OK, page.Status);
        Assert.Contains("Running", page.Text, StringComparison.Ordinal);
        Assert.Contains($"curl {site.Address}v1/chat/completions", page.Text, StringComparison.Ordinal);
        Assert.Contains("\"demo/demo\"", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("office", page.Html, StringComparison.Ordinal);
        Assert.DoesNotContain("Data folder", page.Html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_admin_sees_what_runs_and_the_providers_without_their_secrets()
    {
        var site = await office.FreshAsync();
        using var browser = await site.BrowserAsync(DevelopmentKey.Token);

        var page = await browser.GetAsync("/");

        Assert.Contains("Data folder", page.Text, StringComparison.Ordinal);
        Assert.Contains("http://127.0.0.1:9/v1 ", page.Text, StringComparison.Ordinal);
        Assert.Contains("\"office/small\"", page.Text, StringComparison.Ordinal);
        Assert.All(["someone", "wordpass", "hush", "provider-secret"], secret =>
            Assert.DoesNotContain(secret, page.Html, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Sums_are_exact_and_the_total_is_the_sum_of_the_lines()
    {
        var site = await office.FreshAsync();
        await AddUsageAsync(site, DevelopmentKey.Id, "a", "one", calls: 1_234_567, cost: "0.0000000001");
        await AddUsageAsync(site, DevelopmentKey.Id, "b", "two", calls: 3, cost: "1234.5678900000");
        using var browser = await site.BrowserAsync(DevelopmentKey.Token);

        var page = await browser.GetAsync("/");

        Assert.Contains("a/one 1,234,567 0 2,469,134 3,703,701 $0.0000000001", page.Text, StringComparison.Ordinal);
        Assert.Contains("b/two 3 0 6 9 $1,234.5678900000", page.Text, StringComparison.Ordinal);
        Assert.Contains("Total 1,234,570 0 2,469,140 3,703,710 $1,234.5678900001", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_is_no_admins_sees_its_own_usage_only()
    {
        var site = await office.FreshAsync();
        var key = await site.CreateKeyAsync(new("mine"));
        await AddUsageAsync(site, key.Row.Id, "a", "own", calls: 7, cost: "0.5");
        await AddUsageAsync(site, DevelopmentKey.Id, "a", "others", calls: 9, cost: "0.5");
        using var browser = await site.BrowserAsync(key.Token);

        var page = await browser.GetAsync("/");

        Assert.Contains("Total 7 0 14 21 $0.50", page.Text, StringComparison.Ordinal);
        Assert.All(["a/others", "Providers", "Data folder"], hidden => Assert.DoesNotContain(hidden, page.Html, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Hostile_names_are_text()
    {
        await using var site = await PagesSite.StartAsync(await cluster.CreateDatabaseAsync(), Providers(Hostile, $"\"'>{Hostile}"));
        await AddUsageAsync(site, DevelopmentKey.Id, "local", $"</code>{Hostile}", calls: 1, cost: "0");
        var key = await site.CreateKeyAsync(new($"\"{Hostile}", IsAdmin: true));
        using var browser = await site.BrowserAsync(key.Token);

        var page = await browser.GetAsync("/");

        Assert.Contains($"local/</code>{Hostile}", page.Text, StringComparison.Ordinal);
        Assert.True(Regex.Count(page.Text, Regex.Escape(Hostile)) > 5);
        Assert.DoesNotContain("<img src=x", page.Html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_day_without_calls_says_what_to_do()
    {
        var site = await office.FreshAsync();
        using var browser = await site.BrowserAsync(DevelopmentKey.Token);

        Assert.Contains("No call yet today", (await browser.GetAsync("/")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_its_database_the_page_says_so_and_shows_the_rest()
    {
        var database = await cluster.CreateDatabaseAsync();
        await using var site = await PagesSite.StartAsync(database);
        using var browser = await site.BrowserAsync(DevelopmentKey.Token);
        // From here on the host knows the session.
        await browser.GetAsync("/");

        await cluster.CloseDatabaseAsync(database);
        var page = await browser.GetAsync("/");

        Assert.Equal(HttpStatusCode.OK, page.Status);
        Assert.Contains("The database does not answer now", page.Text, StringComparison.Ordinal);
        Assert.Contains("Data folder", page.Text, StringComparison.Ordinal);
    }

    private static Dictionary<string, string?> Providers(string name, string model = "small") => new(StringComparer.Ordinal)
    {
        [$"Gateway:Providers:{name}:Kind"] = "openai",
        [$"Gateway:Providers:{name}:BaseUrl"] = "http://someone:wordpass@127.0.0.1:9/v1?key=hush",
        [$"Gateway:Providers:{name}:ApiKey"] = "provider-secret",
        [$"Gateway:Providers:{name}:Models:0"] = model,
    };

    private static async Task AddUsageAsync(PagesSite site, Guid key, string provider, string model, long calls, string cost)
    {
        await using var command = site.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand("""
            insert into gateway.usage_days (organization_id, start, agent_id, version_id, folder_id, provider_key_id, key_id,
              provider, model, calls,
              failed, unpriced, cached, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens, cost,
              latency_ms, latencies, last_at)
            values ($1, date_trunc('day', now(), 'UTC'), '', '', '', '', $2, $3, $4, $5, 0, 0, 0, $5 * 2, 0, 0, $5 * 3, 0,
              $6::numeric, 0, '{}', now())
            """);
        foreach (var value in (object[])[Organization.DefaultId, key, provider, model, calls, cost])
        {
            command.Parameters.Add(new() { Value = value });
        }
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>A host with a provider of this name.</summary>
    public sealed class Office(TestCluster cluster) : IAsyncLifetime
    {
        private PagesSite site = null!;

        public async ValueTask InitializeAsync() =>
            site = await PagesSite.StartAsync(await cluster.CreateDatabaseAsync(), Providers("office"));

        /// <summary>Of which nobody has made use today.</summary>
        internal async Task<PagesSite> FreshAsync()
        {
            await using var command = site.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand("delete from gateway.usage_days");
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            return site;
        }

        public ValueTask DisposeAsync() => site.DisposeAsync();
    }
}
