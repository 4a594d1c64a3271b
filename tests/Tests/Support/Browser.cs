using System.Net;
using System.Text.RegularExpressions;

namespace Stoa.Tests.Support;

/// <summary>What a person at a browser without scripts does with the pages: reads them, fills in forms, keeps cookies.</summary>
internal sealed class Browser : IDisposable
{
    private readonly HttpClient client;

    public Browser(Uri address)
    {
        client = new(new SocketsHttpHandler { CookieContainer = Cookies, AllowAutoRedirect = false }) { BaseAddress = address };
        client.DefaultRequestHeaders.Accept.ParseAdd("text/html,application/xhtml+xml,*/*;q=0.8");
    }

    public CookieContainer Cookies { get; } = new();

    public async Task<Page> GetAsync(string path) =>
        await Page.OfAsync(await client.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken));

    /// <summary>Sends a form, as from a page of the site itself.</summary>
    public Task<Page> SendAsync(string path, params (string Name, string Value)[] fields) =>
        SendFromAsync(client.BaseAddress!.GetLeftPart(UriPartial.Authority), path, fields);

    /// <summary>Sends a form, as from a page of <paramref name="origin"/>; null for a client that does not say.</summary>
    public async Task<Page> SendFromAsync(string? origin, string path, params (string Name, string Value)[] fields)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative));
        request.Content = new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Name, field.Value)));
        if (origin is not null)
        {
            request.Headers.Add("Origin", origin);
        }
        return await Page.OfAsync(await client.SendAsync(request, TestContext.Current.CancellationToken));
    }

    /// <summary>Calls a route of the API with the cookies of this browser, as a script of the site would.</summary>
    public async Task<HttpResponseMessage> CallAsync(HttpMethod method, string path, object? body = null, string? origin = "own")
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        request.Content = body is null ? null : System.Net.Http.Json.JsonContent.Create(body);
        if (origin is not null)
        {
            request.Headers.Add("Origin", origin == "own" ? client.BaseAddress!.GetLeftPart(UriPartial.Authority) : origin);
        }
        return await client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    public Task<Page> SignInAsync(string key, string wayBack = "/") => SendAsync("/signin/key", ("key", key), ("return", wayBack));

    public Task<Page> SignInAsync(string email, string password, string wayBack) =>
        SendAsync("/signin", ("email", email), ("password", password), ("return", wayBack));

    public void Dispose() => client.Dispose();

    internal sealed record Page(HttpStatusCode Status, string Html, HttpResponseMessage Answer)
    {
        private static readonly Regex Tag = new("<[^>]*>", RegexOptions.NonBacktracking);
        private static readonly Regex Space = new(@"\s+", RegexOptions.NonBacktracking);

        public string? Location => Answer.Headers.Location?.OriginalString;

        /// <summary>What a person reads: markup removed, entities resolved, white space folded.</summary>
        public string Text =>
            Space.Replace(WebUtility.HtmlDecode(Tag.Replace(Html.Replace("<wbr>", "", StringComparison.Ordinal), " ")), " ");

        public string? Header(string name) => Answer.Headers.TryGetValues(name, out var values) ? string.Join("; ", values)
            : Answer.Content.Headers.TryGetValues(name, out values) ? string.Join("; ", values)
            : null;

        public override string ToString() => $"{(int)Status} {Text}";

        internal static async Task<Page> OfAsync(HttpResponseMessage answer) =>
            new(answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), answer);
    }
}
