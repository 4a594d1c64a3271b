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

    /// <summary>Fills in the form that <paramref name="page"/> shows.</summary>
    public Task<Page> SendAsync(Page page, string path, params (string Name, string Value)[] fields) =>
        SendAsync(path, [("form_token", page.FormToken), .. fields]);

    public async Task<Page> SendAsync(string path, params (string Name, string Value)[] fields)
    {
        using var form = new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Name, field.Value)));
        return await Page.OfAsync(await client.PostAsync(new Uri(path, UriKind.Relative), form, TestContext.Current.CancellationToken));
    }

    public async Task<Page> SignInAsync(string key, string wayBack = "/") =>
        await SendAsync(await GetAsync("/signin"), "/signin", ("key", key), ("return", wayBack));

    public void Dispose() => client.Dispose();

    internal sealed record Page(HttpStatusCode Status, string Html, HttpResponseMessage Answer)
    {
        private static readonly Regex FormTokenField = new("name=\"form_token\" value=\"(?<token>[^\"]*)\"", RegexOptions.NonBacktracking);
        private static readonly Regex Tag = new("<[^>]*>", RegexOptions.NonBacktracking);
        private static readonly Regex Space = new(@"\s+", RegexOptions.NonBacktracking);

        public string FormToken => FormTokenField.Match(Html).Groups["token"].Value;

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
