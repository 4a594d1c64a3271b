using System.Net.Http.Json;

namespace Stoa.Tests.Assistants.Documents;

/// <summary>A host that may read websites on one address of this machine, without waiting between pages.</summary>
public sealed class DocumentsSite : IAsyncLifetime
{
    public const int MaxPages = 40;

    internal AssistantsSite Assistants { get; private set; } = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => Assistants = await AssistantsSite.StartAsync(
        ("Egress:Allow", "127.0.0.1"), ("Assistants:Documents:DelayMs", "0"),
        // One page never answers; all others must have answered by then.
        ("Assistants:Documents:PageSeconds", "12"), ("Assistants:Documents:PdfSeconds", "15"),
        ("Assistants:Documents:MaxPages", MaxPages.ToString(System.Globalization.CultureInfo.InvariantCulture)),
        ("Assistants:EmbeddingModel", "demo/demo"));

    public ValueTask DisposeAsync() => Assistants.DisposeAsync();

    /// <summary>Has a website read as a user has it, to the end of the job.</summary>
    internal async Task<(string State, string? Error)> ReadAsync(Assisted user, string address)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, "/assistants/resource")
        {
            Content = JsonContent.Create(new { datetime = "2026-11-22T08:00:00Z", website_url = address }),
        };
        request.Headers.TryAddWithoutValidation("Authorization", user.Token);
        using var answer = await Assistants.Host.Client.SendAsync(request, Ct);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Ct));
        Assert.Equal($"/assistants/jobs/{Header(answer)}", answer.Headers.Location!.OriginalString);
        return await EndAsync(user, Header(answer));
    }

    /// <summary>Has it read as the background service does, which may also be once more.</summary>
    internal async Task<(string State, string? Error)> LaunchAsync(Assisted user, string address)
    {
        using var answer = await Assistants.Host.Internal.PostAsJsonAsync(
            "/background/create_document_from_website",
            new { datetime = "2026-11-22T08:00:00Z", website_url = address, user_id = user.Id }, Ct);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Ct));
        return await EndAsync(user, Header(answer));
    }

    internal async Task<List<string>> NamesAsync(Assisted user) =>
    [
        .. (await Assistants.OkAsync(user.Token, HttpMethod.Get, "/resource?learned_by_mojo=false"))["documents"]!.AsArray()
            .Select(document => (string)document!["name"]!).Order(StringComparer.Ordinal),
    ];

    internal async Task<List<(string Source, string Text)>> SearchAsync(Assisted user, string question, int most = 5) =>
    [
        .. (await Assistants.OkAsync(user.Token, HttpMethod.Get,
            $"/resource/search?top_k={most}&query={Uri.EscapeDataString(question)}"))["document_chunks"]!.AsArray()
            .Select(chunk => ((string)chunk!["source"]!, (string)chunk["text"]!)),
    ];

    /// <summary>What is noted about a page that is not kept.</summary>
    internal Task<string> ReasonAsync(Assisted user, string path) => Assistants.ValueAsync<string>(
        "select reason from assistants.website_pages p join assistants.websites w on w.id = p.website_id where w.user_id = $1 and p.url like '%' || $2", user.Id, path);

    internal async Task<string> TextAsync(Assisted user, string path) => await Assistants.ValueAsync<string>("""
        select string_agg(c.text, ' ' order by c.index) from assistants.document_chunks c
        join assistants.documents d on d.id = c.document_id
        where d.user_id = $1 and d.name like '%' || $2 and c.deleted_at is null
        """, user.Id, path);

    internal async Task<(string State, string? Error)> EndAsync(Assisted user, string job)
    {
        await Assistants.Host.RunJobsAsync();
        var status = await Assistants.OkAsync(user.Token, HttpMethod.Get, $"/jobs/{job}");
        return ((string)status["state"]!, (string?)status["error"]);
    }

    private static string Header(HttpResponseMessage answer) => answer.Headers.GetValues("X-Job-Id").Single();
}
