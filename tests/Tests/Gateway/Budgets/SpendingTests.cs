using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Stoa.Gateway.Budgets;
using Stoa.Gateway.Providers;
using Stoa.Gateway.Usage;
using Stoa.Platform.Identity;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Budgets;

/// <summary>Budgets as clients meet them, on two hosts over one database.</summary>
public sealed class SpendingTests(SpendingTests.TwoHosts hosts) : IClassFixture<SpendingTests.TwoHosts>
{
    private const string Call = """{"model":"openai/listed","max_tokens":10,"messages":[{"role":"user","content":"Hello"}]}""";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Of_a_thousand_calls_at_once_to_two_hosts_exactly_as_many_pass_as_the_budget_holds()
    {
        const int Paid = 25;
        var key = await hosts.KeyAsync();
        // Ten tokens of answer at a dollar each.
        await hosts.SetAsync(BudgetScope.Key(key.Row.Id), Paid * 10);
        hosts.Provider.EnqueueFor("listed", [.. Enumerable.Repeat(ScriptedAnswer.Text("x").WithUsage(new(5, 10)), Paid)]);

        var answers = await Task.WhenAll(Enumerable.Range(0, 1_000).Select(number => hosts.CallAsync(number, key.Token, Call)));

        Assert.Equal(Paid, answers.Count(answer => answer.StatusCode == HttpStatusCode.OK));
        Assert.All(answers,
            answer => Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.TooManyRequests, $"{answer.StatusCode}"));
        Assert.Equal(Paid, hosts.Provider.RequestsFor("listed").Count);
        await hosts.UntilAsync($"select spent from gateway.budgets where subject = '{key.Row.Id}'", Paid * 10m);
        Assert.Equal(Paid * 10m, await hosts.ScalarAsync<decimal>($"select sum(cost) from gateway.usage where key_id = '{key.Row.Id}'"));
        Assert.Equal(0L, await hosts.ScalarAsync<long>(
            $"select count(*) from gateway.budget_reservations r join gateway.budgets b on b.id = r.budget_id where b.subject = '{key.Row.Id}'"));
    }

    [Theory]
    [InlineData("/v1/chat/completions", 429, """{"type":"insufficient_quota","code":"BUDGET_EXCEEDED"}""")]
    [InlineData("/v1/embeddings", 429, """{"type":"insufficient_quota","code":"BUDGET_EXCEEDED"}""")]
    [InlineData("/v1/messages", 402, """{"type":"billing_error"}""")]
    [InlineData("/v1/responses", 429, """{"type":"insufficient_quota","code":"BUDGET_EXCEEDED"}""")]
    [InlineData("/v1/completions", 429, """{"type":"insufficient_quota","code":"BUDGET_EXCEEDED"}""")]
    [InlineData("/v1/images/generations", 429, """{"type":"insufficient_quota","code":"BUDGET_EXCEEDED"}""")]
    public async Task A_budget_that_is_used_up_is_said_in_the_words_of_the_surface(string path, int status, string error)
    {
        var key = await hosts.KeyAsync();
        await hosts.SetAsync(BudgetScope.Key(key.Row.Id), 1);
        await hosts.ExecuteAsync($"update gateway.budgets set spent = 1 where subject = '{key.Row.Id}'");

        using var answer = await hosts.CallAsync(0, key.Token, Call.Replace("}]}", "}],\"input\":\"x\"}", StringComparison.Ordinal), path);

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal("false", answer.Headers.GetValues("x-should-retry").Single());
        var said = JsonNode.Parse(await answer.Content.ReadAsStringAsync(Ct))!["error"]!;
        Assert.All(JsonNode.Parse(error)!.AsObject(), member => Assert.Equal((string?)member.Value, (string?)said[member.Key]));
        Assert.Equal("Key limit exceeded. Used: 1/1", (string?)said["message"]);
    }

    [Fact]
    public async Task An_admin_sets_reads_and_removes_a_budget_and_others_do_not()
    {
        var (admin, other) = (await hosts.KeyAsync(isAdmin: true), await hosts.KeyAsync());
        var path = $"/api/stoa/budgets/keys/{other.Row.Id}";

        var set = await hosts.SendAsync(
            HttpMethod.Put, path, admin.Token, new { amount = 2.5, period = "weekly", starts_at = "2026-01-05T00:07:00Z" });
        var listed = (await hosts.SendAsync(HttpMethod.Get, "/api/stoa/budgets", admin.Token))["items"]!.AsArray()
            .Single(budget => (string?)budget!["subject"] == other.Row.Id.ToString());
        await hosts.SendAsync(HttpMethod.Delete, path, admin.Token);
        var left = (await hosts.SendAsync(HttpMethod.Get, "/api/stoa/budgets", admin.Token))["items"]!.AsArray();

        Assert.Equal(
            ("key", 2.5m, "weekly", 0m), ((string?)set["scope"], (decimal)set["amount"]!, (string?)set["period"], (decimal)set["spent"]!));
        Assert.Equal("2026-01-05T00:00:00+00:00", (string?)listed!["starts_at"]);
        Assert.DoesNotContain(left, budget => (string?)budget!["subject"] == other.Row.Id.ToString());
        Assert.Equal(HttpStatusCode.Forbidden, await hosts.StatusAsync(HttpMethod.Get, "/api/stoa/budgets", other.Token));
        Assert.Equal(HttpStatusCode.NotFound,
            await hosts.StatusAsync(HttpMethod.Put, $"/api/stoa/budgets/keys/{Guid.Empty}", admin.Token, new { amount = 1 }));
        Assert.Equal(
            HttpStatusCode.BadRequest, await hosts.StatusAsync(HttpMethod.Put, path, admin.Token, new { amount = 0, period = "hourly" }));
    }

    [Theory]
    [InlineData("agents", "agent", "bridge",
        "insert into gateway.agents values ('{0}', '{1}', '{0}', '{0}', 'api', false, null, null, '{2}', now(), now())")]
    [InlineData("folders", "folder", "folder", "insert into gateway.folders values ('{0}', '{1}', '{0}', 'agent', '{2}', now(), now())")]
    [InlineData("provider_keys", "provider_key", "apikey",
        "insert into gateway.provider_keys values ('{0}', '{1}', null, '{0}', 'openai', '', '', 'working', '{2}', now(), now())")]
    public async Task The_budget_of_a_document_follows_it(string table, string scope, string prefix, string insert)
    {
        var id = Stoa.Gateway.HexId.Create(TimeProvider.System);
        var budget =
            $"select coalesce((select amount::text || ' ' || period || ' ' || spent::text from gateway.budgets where scope = '{scope}' and subject = '{id}'), 'none')";

        await hosts.ExecuteAsync(
            string.Format(System.Globalization.CultureInfo.InvariantCulture, insert, id, Organization.DefaultId, "{}"));
        Assert.Equal("none", await hosts.ScalarAsync<string>(budget));
        await ChangeAsync($$"""{"{{prefix}}_limit": 10, "{{prefix}}_usage": 12.5, "{{prefix}}_limit_reset_period": "weekly"}""");
        Assert.Equal("10.0000000000 weekly 12.5000000000", await hosts.ScalarAsync<string>(budget));
        await ChangeAsync($$"""{"{{prefix}}_limit": 20}""");
        Assert.Equal("20.0000000000 weekly 12.5000000000", await hosts.ScalarAsync<string>(budget));
        await ChangeAsync($$"""{"{{prefix}}_usage": 0}""");
        Assert.Equal("20.0000000000 weekly 0.0000000000", await hosts.ScalarAsync<string>(budget));
        await hosts.ExecuteAsync($"update gateway.budgets set spent = 3 where scope = '{scope}' and subject = '{id}'");
        await ChangeAsync($$"""{"{{prefix}}_limit": 30}""");
        Assert.Equal("30.0000000000 weekly 3.0000000000", await hosts.ScalarAsync<string>(budget));
        // The document says 0 already; it is meant anew.
        await ChangeAsync($$"""{"{{prefix}}_usage": 0, "{{prefix}}_usage_set_at": "2030-01-01T00:00:00.000Z"}""");
        Assert.Equal("30.0000000000 weekly 0.0000000000", await hosts.ScalarAsync<string>(budget));
        await hosts.ExecuteAsync($"delete from gateway.{table} where id = '{id}'");
        Assert.Equal("none", await hosts.ScalarAsync<string>(budget));

        Task ChangeAsync(string members) =>
            hosts.ExecuteAsync($"update gateway.{table} set document = document || '{members}' where id = '{id}'");
    }

    public sealed class TwoHosts(TestCluster cluster) : IAsyncLifetime
    {
        private string database = "";
        private HostUnderTest[] hosts = [];
        private NpgsqlDataSource source = null!;

        public ScriptedProvider Provider { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Provider = await ScriptedProvider.StartAsync();
            database = await cluster.CreateDatabaseAsync();
            source = NpgsqlDataSource.Create(database);
            Dictionary<string, string?> settings = new()
            {
                ["ConnectionStrings:Stoa"] = $"{database};Maximum Pool Size=15;Timeout=60",
                ["Gateway:Providers:openai:Kind"] = "openai",
                ["Gateway:Providers:openai:BaseUrl"] = new Uri(Provider.BaseAddress, "/v1").ToString(),
                ["Gateway:Providers:openai:ApiKey"] = Provider.Key,
            };
            hosts = [await HostUnderTest.StartAsync(settings), await HostUnderTest.StartAsync(settings)];
            await hosts[0].Services.GetRequiredService<PriceStore>().AddAsync(
                new("openai", "listed", DateTimeOffset.UnixEpoch, 0, 0, 0, 1_000_000), CancellationToken.None);
            await UntilAsync(host => host.Services.GetRequiredService<PriceBook>()
                .Find(host.Services.GetRequiredService<ProviderCatalog>().Find("openai/listed"u8)!) is not null);
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var host in hosts.Reverse())
            {
                await host.DisposeAsync();
            }
            await source.DisposeAsync();
            await cluster.DropDatabaseAsync(database);
            await Provider.DisposeAsync();
        }

        internal async Task<NewKey> KeyAsync(bool isAdmin = false)
        {
            var made = await hosts[0].Services.GetRequiredService<KeyStore>()
                .CreateAsync(Organization.DefaultId, new KeyTerms("test", isAdmin, null, null, null, null, null), "test", Ct);
            await UntilAsync(host => host.Services.GetRequiredService<KeyRing>().Find(made.Token) is not null);
            return made;
        }

        internal async Task SetAsync(BudgetScope scope, decimal amount)
        {
            await hosts[0].Services.GetRequiredService<BudgetStore>()
                .SetAsync(Organization.DefaultId, scope, amount, BudgetPeriod.Monthly, new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), Ct);
            await UntilAsync(host => host.Services.GetRequiredService<BudgetBook>().Among(Organization.DefaultId, [scope]).Count == 1);
        }

        public async Task<HttpResponseMessage> CallAsync(int host, string key, string body, string path = "/v1/chat/completions")
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path)
            {
                Content = new StringContent(body, Encoding.UTF8, "application/json"),
                Headers = { Authorization = new AuthenticationHeaderValue("Bearer", key) },
            };
            return await hosts[host % hosts.Length].Client.SendAsync(request, Ct);
        }

        public async Task<JsonNode> SendAsync(HttpMethod method, string path, string key, object? body = null)
        {
            using var answer = await AnswerAsync(method, path, key, body);
            var text = await answer.Content.ReadAsStringAsync(Ct);
            Assert.True(answer.IsSuccessStatusCode, text);
            return text.Length > 0 ? JsonNode.Parse(text)! : new JsonObject();
        }

        public async Task<HttpStatusCode> StatusAsync(HttpMethod method, string path, string key, object? body = null)
        {
            using var answer = await AnswerAsync(method, path, key, body);
            return answer.StatusCode;
        }

        public async Task ExecuteAsync(string sql)
        {
            await using var command = source.CreateCommand(sql);
            await command.ExecuteNonQueryAsync(Ct);
        }

        public async Task<T> ScalarAsync<T>(string sql)
        {
            await using var command = source.CreateCommand(sql);
            return (T)(await command.ExecuteScalarAsync(Ct))!;
        }

        public async Task UntilAsync<T>(string sql, T expected)
        {
            while (!EqualityComparer<T>.Default.Equals(await ScalarAsync<T>(sql), expected))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Ct);
            }
        }

        private async Task UntilAsync(Func<HostUnderTest, bool> holds)
        {
            while (!hosts.All(holds))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Ct);
            }
        }

        private async Task<HttpResponseMessage> AnswerAsync(HttpMethod method, string path, string key, object? body)
        {
            using var request = new HttpRequestMessage(method, path)
            {
                Content = body is null ? null : JsonContent.Create(body),
                Headers = { Authorization = new AuthenticationHeaderValue("Bearer", key) },
            };
            return await hosts[0].Client.SendAsync(request, Ct);
        }
    }
}
