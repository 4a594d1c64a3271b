using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Bench.Scenarios;

namespace Stoa.Bench.Documents;

/// <summary>Users who have websites read by the product, over its surfaces.</summary>
internal sealed class DocumentsReader : IDisposable
{
    private const string Secret = "what signs the tokens of users in the bench";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);

    private readonly Product product;
    private readonly string website;
    private readonly HttpClient client;
    private readonly HttpClient background;

    private DocumentsReader(Product product, string website) => (this.product, this.website, client, background) =
        (product, website, new() { BaseAddress = product.BaseUrl }, new() { BaseAddress = product.InternalUrl });

    internal static Task<DocumentsReader> PrepareAsync(Product product, string website, int pages)
    {
        foreach (var (name, value) in ((string, string)[])[
            ("Gateway__Providers__demo__Kind", "demo"),
            ("Assistants__EmbeddingModel", "demo/demo"), ("Assistants__Auth__TokenSecret", Secret),
            ("Egress__Allow", "127.0.0.1"), ("Assistants__Documents__MaxPages", pages.ToString(CultureInfo.InvariantCulture)),
            ("Assistants__Documents__MaxDepth", "50"), ("Assistants__Documents__MaxPageKb", "8192"),
            ("Assistants__Documents__MaxSiteMb", "1000"),
            ("Assistants__Documents__SiteMinutes", "60"), ("Assistants__Documents__DelayMs", "0"),
        ])
        {
            product.Set(name, value);
        }
        return Task.FromResult(new DocumentsReader(product, website));
    }

    internal Task AddUserAsync(string user) => product.SqlAsync($"""
        insert into assistants.users (id, organization_id, name, email) select '{user}', id, '{user}', '{user}@example.org'
          from platform.organizations limit 1;
        """);

    internal async Task ReadAsync(string user, bool isNew, Func<string, Task> tell) =>
        await WaitAsync(user, await LaunchAsync(user, isNew), tell);

    /// <summary>The job. A new website is the user's own wish; one that is there already is read again by the background's route.</summary>
    internal async Task<string> LaunchAsync(string user, bool isNew)
    {
        var now = TimeProvider.System.GetUtcNow();
        using var request = isNew
            ? new HttpRequestMessage(HttpMethod.Put, "/assistants/resource")
            {
                Content = JsonContent.Create(new { datetime = now, website_url = website }),
            }
            : new(HttpMethod.Post, "/background/create_document_from_website") { Content =
                JsonContent.Create(new { datetime = now, website_url = website, user_id = user }) };
        if (isNew)
        {
            request.Headers.TryAddWithoutValidation("Authorization", Token(user));
        }
        using var answer = await (isNew ? client : background).SendAsync(request);
        return answer.IsSuccessStatusCode
            ? answer.Headers.GetValues("X-Job-Id").Single()
            : throw new InvalidOperationException($"{answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
    }

    internal async Task WaitAsync(string user, string job, Func<string, Task> tell)
    {
        var (started, told) = (TimeProvider.System.GetTimestamp(), -1L);
        while (TimeProvider.System.GetElapsedTime(started) < Patience)
        {
            var status = await GetAsync(user, $"/assistants/jobs/{job}");
            switch ((string?)status["state"])
            {
                case "succeeded":
                    return;
                case "dead" or "cancelled":
                    throw new InvalidOperationException($"The job is over: {status}");
            }
            var done = (long?)status["progress"]?["done"] ?? 0;
            if (done / 200 > told)
            {
                told = done / 200;
                await tell($"{done} of {status["progress"]?["total"]} pages");
            }
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
        throw new InvalidOperationException("The website was not read in time.");
    }

    /// <summary>The sources of the five best pieces.</summary>
    internal async Task<List<string>> SearchAsync(string user, string question) =>
        [.. (await GetAsync(user,
            $"/assistants/resource/search?top_k=5&query={Uri.EscapeDataString(question)}"))["document_chunks"]!.AsArray()
            .Select(chunk => (string)chunk!["source"]!)];

    internal async Task<IReadOnlyCollection<StoredChunk>> StateAsync(string user) =>
    [
        .. (await product.QueryAsync($"""
            select d.name, c.index, encode(c.content_hash, 'hex') from assistants.document_chunks c
            join assistants.documents d on d.id = c.document_id
            where c.user_id = '{user}' and c.deleted_at is null and d.deleted_at is null and c.embedding is not null
            """)).Split('\n',
              StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('|')).Select(cells => new StoredChunk(cells[0],
              cells[1], cells[2])),
    ];

    internal async Task<double> NumberAsync(string sql) => double.Parse(await product.QueryAsync(sql), CultureInfo.InvariantCulture);

    internal async Task<string> NowAsync() => (await product.QueryAsync("select clock_timestamp()")).Trim();

    internal Task<double> EmbeddedSinceAsync(string instant) =>
        NumberAsync($"select count(*) from assistants.document_chunks where embedded_at >= '{instant}'");

    public void Dispose()
    {
        client.Dispose();
        background.Dispose();
    }

    private async Task<JsonNode> GetAsync(string user, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("Authorization", Token(user));
        using var answer = await client.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        return answer.IsSuccessStatusCode ? JsonNode.Parse(text)!
            : throw new InvalidOperationException($"{path}: {answer.StatusCode} {text}");
    }

    private static string Token(string user)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var claims = JsonSerializer.SerializeToUtf8Bytes(new { iat = now, exp = now + 36_000, sub = $"{user}__mojodex__bench" });
        var signed = $"{Base64Url.EncodeToString("""{"alg":"HS256","typ":"JWT"}"""u8)}.{Base64Url.EncodeToString(claims)}";
        return $"{signed}.{Base64Url.EncodeToString(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), Encoding.UTF8.GetBytes(signed)))}";
    }
}
