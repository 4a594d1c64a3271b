using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Stoa.Gateway.Files;
using Stoa.Platform.Storage;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Files;

public sealed class FilesTests(GatewaySite site) : IClassFixture<GatewaySite>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_file_is_kept_shown_read_and_deleted()
    {
        var file = await UploadAsync("Grüße 🗼"u8.ToArray(), "user_data", name: "../../etc/greeting.txt");
        Assert.Equal(("file", "greeting.txt", "user_data", "processed"),
            ((string?)file["object"], (string?)file["filename"], (string?)file["purpose"], (string?)file["status"]));
        Assert.Equal(Encoding.UTF8.GetByteCount("Grüße 🗼"), (int)file["bytes"]!);
        var path = $"/v1/files/{(string)file["id"]!}";
        Assert.Equal(file.ToJsonString(), (await site.GetAsync(path)).ToJsonString());
        using var content = await SendAsync(HttpMethod.Get, $"{path}/content");
        Assert.Equal("Grüße 🗼", await content.Content.ReadAsStringAsync(Ct));
        Assert.Equal("application/octet-stream", content.Content.Headers.ContentType?.MediaType);
        Assert.Equal("nosniff", content.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Equal("attachment", content.Content.Headers.ContentDisposition?.DispositionType);
        using var deleted = await SendAsync(HttpMethod.Delete, path);
        Assert.True((bool)JsonNode.Parse(await deleted.Content.ReadAsStringAsync(Ct))!["deleted"]!);
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync(HttpMethod.Get, path)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync(HttpMethod.Get, $"{path}/content")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync(HttpMethod.Delete, path)).StatusCode);
    }

    [Fact]
    public async Task Lists_go_page_by_page_in_either_order()
    {
        var made = new List<string>();
        for (var number = 0; number < 3; number++)
        {
            made.Add((string)(await UploadAsync([(byte)number], "vision"))["id"]!);
        }
        var first = await site.GetAsync("/v1/files?purpose=vision&limit=2&order=asc");
        Assert.Equal(made.Take(2), Ids(first));
        Assert.True((bool)first["has_more"]!);
        var second = await site.GetAsync($"/v1/files?purpose=vision&limit=2&order=asc&after={(string)first["last_id"]!}");
        Assert.Equal([made[2]], Ids(second));
        Assert.False((bool)second["has_more"]!);
        Assert.Equal(made.AsEnumerable().Reverse(), Ids(await site.GetAsync("/v1/files?purpose=vision")));
        using var unknown = await SendAsync(HttpMethod.Get, "/v1/files?after=file-none");
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
    }

    [Fact]
    public async Task A_list_goes_on_behind_a_file_that_was_deleted_meanwhile()
    {
        var first = (string)(await UploadAsync([1], "evals"))["id"]!;
        var second = (string)(await UploadAsync([2], "evals"))["id"]!;
        using var deleted = await SendAsync(HttpMethod.Delete, $"/v1/files/{second}");
        Assert.Equal(HttpStatusCode.OK, deleted.StatusCode);
        Assert.Equal([first], Ids(await site.GetAsync($"/v1/files?purpose=evals&limit=1&after={second}")));
    }

    [Theory]
    [InlineData(null, "purpose")]
    [InlineData("homework", "purpose")]
    public async Task A_purpose_must_be_given_and_known(string? purpose, string field)
    {
        using var answer = await PostAsync("x"u8.ToArray(), purpose);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(field, (string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync(Ct))!["error"]!["param"]);
        Assert.DoesNotContain(
            Directory.EnumerateFiles(Storage(), "*", SearchOption.AllDirectories), path => path.EndsWith(".tmp", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_no_form_is_refused()
    {
        using var json = await site.PostAsync("/v1/files", "{}");
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, json.StatusCode);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/files") { Content = new StringContent("--x\r\nbroken") };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "stoa-dev");
        request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse("multipart/form-data; boundary=x");
        Assert.Equal(HttpStatusCode.BadRequest, (await site.Host.Client.SendAsync(request, Ct)).StatusCode);
    }

    [Fact]
    public async Task A_file_larger_than_the_usual_body_passes_and_an_expired_one_is_tidied_away()
    {
        var file = await UploadAsync(new byte[40 << 20], "batch", seconds: 3_600);
        Assert.Equal(40 << 20, (long)file["bytes"]!);
        Assert.Equal(3_600, (long)file["expires_at"]! - (long)file["created_at"]!);
        var path = Path.Combine(Storage(), "files");
        var kept = (string)(await UploadAsync([1], "batch", seconds: 7_200))["id"]!;
        var (old, recent) = (await BatchAsync(TimeSpan.FromDays(30)), await BatchAsync(TimeSpan.FromDays(29)));

        await TidyAsync(DateTimeOffset.FromUnixTimeSeconds((long)file["expires_at"]!) - TimeSpan.FromSeconds(1));
        Assert.Equal(1L, await CountAsync("gateway.stored_files", (string)file["id"]!));
        await TidyAsync(DateTimeOffset.FromUnixTimeSeconds((long)file["expires_at"]!) + TimeSpan.FromSeconds(1));

        Assert.Equal(0L, await CountAsync("gateway.stored_files", (string)file["id"]!));
        Assert.Equal(1L, await CountAsync("gateway.stored_files", kept));
        Assert.Equal([kept], Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories)
            .Select(Path.GetFileName).Where(name => name == kept || name == (string)file["id"]!));
        Assert.Equal(0L, await CountAsync("gateway.batches", old));
        Assert.Equal(1L, await CountAsync("gateway.batches", recent));
    }

    /// <summary>Made from nothing but the connections: what it does needs no unit of work.</summary>
    private Task TidyAsync(DateTimeOffset now)
    {
        var services = site.Host.Services;
        var handler = new TidyStoredHandler(
            services.GetRequiredService<NpgsqlDataSource>(), services.GetRequiredService<IStorage>(), new FakeClock(now));
        return handler.RunAsync(new(), null!, Ct);
    }

    private async Task<long> CountAsync(string table, string id)
    {
        await using var command = site.Host.Services.GetRequiredService<NpgsqlDataSource>()
            .CreateCommand($"select count(*) from {table} where id = $1");
        command.Parameters.Add(new() { Value = id });
        return (long)(await command.ExecuteScalarAsync(Ct))!;
    }

    private async Task<string> BatchAsync(TimeSpan ago)
    {
        var id = $"batch_{Guid.CreateVersion7():n}";
        await using var command = site.Host.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand("""
            insert into gateway.batches (id, organization_id, kind, key_id, key_prefix, endpoint, status, document, created_at,
              expires_at, ended_at)
            select $1, id, 'open_ai', id, '', '/v1/chat/completions', 'completed', '{}', $2, $2, $2 from platform.organizations limit 1
            """);
        command.Parameters.Add(new() { Value = id });
        command.Parameters.Add(new() { Value = TimeProvider.System.GetUtcNow() - ago });
        await command.ExecuteNonQueryAsync(Ct);
        return id;
    }

    private string Storage() => Path.Combine(
        site.Host.Services.GetRequiredService<Microsoft.Extensions.Options.IOptions<Stoa.Platform.StoaOptions>>().Value.DataDirectory,
        "storage");

    private static IEnumerable<string> Ids(JsonNode list) => list["data"]!.AsArray().Select(file => (string)file!["id"]!);

    private async Task<JsonNode> UploadAsync(byte[] content, string purpose, string name = "a.bin", int? seconds = null)
    {
        using var answer = await PostAsync(content, purpose, name, seconds);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }

    private async Task<HttpResponseMessage> PostAsync(byte[] content, string? purpose, string name = "a.bin", int? seconds = null)
    {
        using var form = new MultipartFormDataContent { { new ByteArrayContent(content), "file", name } };
        if (purpose is not null)
        {
            form.Add(new StringContent(purpose), "purpose");
        }
        if (seconds is { } lifetime)
        {
            form.Add(new StringContent($"{lifetime}"), "expires_after[seconds]");
        }
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/files") { Content = form };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "stoa-dev");
        return await site.Host.Client.SendAsync(request, Ct);
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path)
    {
        using var request =
            new HttpRequestMessage(method, path) { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", "stoa-dev") } };
        return await site.Host.Client.SendAsync(request, Ct);
    }
}
