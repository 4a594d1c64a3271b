using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Stoa.Platform.Http;
using Stoa.Tests.Support;

namespace Stoa.Tests.Platform.Http;

public sealed class ErrorTests(ErrorTests.Site site) : IClassFixture<ErrorTests.Site>
{
    private readonly HostUnderTest host = site.Host;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("{\"title\":", 400, "invalid_json", null)]
    [InlineData("", 400, "invalid_request", null)]
    [InlineData("{\"title\": 5, \"stars\": 1}", 400, "invalid_request", "title")]
    [InlineData("{\"title\": \"a\", \"stars\": \"many\"}", 400, "invalid_request", "stars")]
    [InlineData("{\"title\": \"a\"}", 400, "invalid_request", "stars")]
    [InlineData("[]", 400, "invalid_request", null)]
    public async Task Malformed_input_is_a_problem_that_names_the_field(string body, int status, string code, string? field)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");

        var (answer, problem) = await ReadAsync(await host.Client.PostAsync("/notes", content, Ct));

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal(code, (string)problem["code"]!);
        Assert.Equal(field, (string?)problem["errors"]?[0]?["field"]);
        Assert.DoesNotContain("System.", problem.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bytes_that_are_not_UTF8_are_the_callers_mistake()
    {
        using var content = new ByteArrayContent([.. "{\"stars\":1,\"title\":\""u8, 0xFF, 0xFE, .. "\"}"u8]);
        content.Headers.ContentType = new("application/json");

        var answer = await host.Client.PostAsync("/notes", content, Ct);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/json; charset=utf-99")]
    public async Task A_content_type_we_cannot_read_is_415(string type)
    {
        using var content = new ByteArrayContent([.. "{}"u8]);
        content.Headers.TryAddWithoutValidation("Content-Type", type);

        var answer = await host.Client.PostAsync("/notes", content, Ct);

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, answer.StatusCode);
    }

    [Fact]
    public async Task A_body_above_the_limit_is_413()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/notes")
        {
            Content = new StringContent($"{{\"title\":\"{new string('a', 1_100_000)}\",\"stars\":1}}", Encoding.UTF8, "application/json"),
        };
        // The refusal comes before the body: who sends it all the same may find the connection closed before he reads it.
        request.Headers.ExpectContinue = true;

        var (answer, problem) = await ReadAsync(await host.Client.SendAsync(request, Ct));

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        Assert.Equal("request_too_large", (string)problem["code"]!);
    }

    [Fact]
    public async Task An_unexpected_failure_tells_the_caller_its_id_and_nothing_else()
    {
        var (answer, problem) = await ReadAsync(await host.Client.GetAsync("/throws", Ct));

        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        Assert.Equal(answer.Headers.GetValues("x-request-id").Single(), (string)problem["request_id"]!);
        Assert.DoesNotContain("secret", problem.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Retry_after_is_given_in_whole_seconds_rounded_up()
    {
        var answer = await host.Client.GetAsync("/limited", Ct);

        Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(3), answer.Headers.RetryAfter!.Delta);
    }

    [Fact]
    public async Task An_answer_that_breaks_off_is_seen_as_broken() =>
        await Assert.ThrowsAsync<HttpRequestException>(() => host.Client.GetStringAsync("/breaks", Ct));

    [Theory]
    [InlineData("GET", "/plain", "NotFound: Note not found")]
    [InlineData("GET", "/plain/nowhere", "NotFound: Not found")]
    [InlineData("PUT", "/plain/notes", "MethodNotAllowed: PUT is not allowed here, but POST")]
    [InlineData("POST", "/plain/notes", "Invalid: The request is not valid")]
    public async Task A_surface_answers_in_its_own_dialect_also_where_it_has_no_route(string method, string path, string expected)
    {
        using var request = new HttpRequestMessage(new(method), path);

        var answer = await host.Client.SendAsync(request, Ct);

        Assert.Equal(expected, await answer.Content.ReadAsStringAsync(Ct));
    }

    [Fact]
    public async Task A_prefix_ends_at_a_segment()
    {
        var answer = await host.Client.GetAsync("/plainly", Ct);

        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
    }

    [Theory]
    [InlineData("caller-1.a", true)]
    [InlineData("two words", false)]
    public async Task The_request_id_is_echoed_when_it_is_safe_and_made_otherwise(string sent, bool isEchoed)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/healthz");
        request.Headers.TryAddWithoutValidation("x-request-id", sent);

        var answer = await host.Client.SendAsync(request, Ct);
        var id = answer.Headers.GetValues("x-request-id").Single();

        Assert.Equal(isEchoed, id == sent);
        Assert.True(isEchoed || Guid.Parse(id).Version == 7);
    }

    private static async Task<(HttpResponseMessage Answer, JsonNode Problem)> ReadAsync(HttpResponseMessage answer) =>
        (answer, (await answer.Content.ReadFromJsonAsync<JsonNode>(Ct))!);

    internal sealed record Note
    {
        public required string Title { get; init; }

        public required int Stars { get; init; }
    }

    private sealed class PlainErrors : ErrorDialect
    {
        public static readonly PlainErrors Instance = new();

        public override Task WriteAsync(HttpContext context, Failure failure)
        {
            context.Response.StatusCode = StatusOf(failure);
            return context.Response.WriteAsync($"{failure.Kind}: {failure.Message}", context.RequestAborted);
        }
    }

    /// <summary>One host for all of them.</summary>
    public sealed class Site : IAsyncLifetime
    {
        internal HostUnderTest Host { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Host = await HostUnderTest.StartAsync(
            new() { ["Stoa:MaxBodyMb"] = "1" },
            builder => builder.Services.AddErrorDialect("/plain", PlainErrors.Instance),
            app =>
            {
                app.MapPost("/notes", (Note note) => note.Title);
                app.MapGet("/throws", Task () => throw new InvalidOperationException("secret of the house"));
                app.MapGet("/limited", Task () => throw Failure.TooMany("Slow down", TimeSpan.FromMilliseconds(2_400)));
                app.MapGet("/breaks", async (HttpContext context) =>
                {
                    await context.Response.WriteAsync("half", Ct);
                    await context.Response.Body.FlushAsync(Ct);
                    throw new InvalidOperationException("too late");
                });
                var plain = app.MapGroup("/plain").WithErrors(PlainErrors.Instance);
                plain.MapPost("/notes", (Note note) => note.Title);
                plain.MapGet("/", Task () => throw Failure.NotFound("Note"));
            });

        public ValueTask DisposeAsync() => Host.DisposeAsync();
    }
}
