using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform.Pages;
using Stoa.Tests.Platform.Identity;

namespace Stoa.Tests.Platform.Pages;

/// <summary>What holds for every form of every page, whoever adds one.</summary>
public sealed class FormSafetyTests
{
    private static readonly Regex Parameter = new(@"\{[^}]*\}", RegexOptions.NonBacktracking);

    private static readonly string[] Fields =
    [
        "token", "organization", "organization_id", "organization_name", "name",
        "email", "password", "old_password", "new_password", "role", "slug",
        "key", "days", "is_admin", "locale", "time_zone", "return", "arguments", "provider",
    ];

    // Bytes that are no text, half a character, nothing at all, markup, SQL, a path elsewhere, and too much.
    private static readonly string[] Values =
        ["%00", "%ED%A0%80", "%FF%FE", "", "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
            "%27%20or%201%3D1--", "%2F%2Fevil.example", new('x', 5_000)];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_other_site_sends_one()
    {
        await using var site = await StartAsync();
        using var owner = await site.SetUpAsync();
        var forms = Forms(site);
        Assert.Contains("/password-reset", forms);
        Assert.Contains("/console/account/email", forms);

        foreach (var form in forms)
        {
            foreach (var origin in (string?[])["https://evil.example", "null", null])
            {
                Assert.Equal((form, HttpStatusCode.Forbidden), (form, (await owner.SendFromAsync(origin, form, ("name", "x"))).Status));
            }
        }
        Assert.Equal(HttpStatusCode.OK, await IdentitySite.StatusAsync(owner, HttpMethod.Get, "/api/stoa/me"));
    }

    [Fact]
    public async Task A_page_without_a_form_of_that_address_takes_none()
    {
        await using var site = await StartAsync();
        using var owner = await site.SetUpAsync();

        foreach (var page in (string[])["/", "/console/jobs", "/console/audit"])
        {
            Assert.Equal((page, HttpStatusCode.MethodNotAllowed), (page, (await owner.SendAsync(page, ("name", "\0"))).Status));
        }
    }

    [Fact]
    public async Task Hostile_fields_break_none_and_lead_nowhere_else()
    {
        await using var site = await StartAsync();
        using var owner = await site.SetUpAsync();
        // What needs no field does what it is for, and would end the session.
        foreach (var form in Forms(site).Where(form => form is not "/signout" and not "/console/account/sessions/end"))
        {
            foreach (var value in Values)
            {
                using var handler = new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false };
                using var client = new HttpClient(handler) { BaseAddress = site.Address };
                using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(form, UriKind.Relative));
                // Signing in ends the session that the browser brings, so those forms come without one.
                if (!form.StartsWith("/signin", StringComparison.Ordinal))
                {
                    request.Headers.Add("Cookie", owner.Cookies.GetCookieHeader(site.Address));
                }
                request.Headers.Add("Origin", site.Address.GetLeftPart(UriPartial.Authority));
                request.Content = new StringContent(
                    string.Join('&', Fields.Select(field => $"{field}={value}")), Encoding.ASCII, "application/x-www-form-urlencoded");
                using var answer = await client.SendAsync(request, Ct);

                Assert.True((int)answer.StatusCode < 500, $"{form} with {value[..Math.Min(20, value.Length)]}: {answer.StatusCode}");
                Assert.DoesNotContain(
                    "evil.example", answer.Headers.Location?.OriginalString.Split('?')[0] ?? "", StringComparison.Ordinal);
                Assert.DoesNotContain("<script>alert", await answer.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
            }
        }
    }

    private static Task<IdentitySite> StartAsync() => IdentitySite.StartAsync(settings: new(StringComparer.OrdinalIgnoreCase)
    {
        ["Discord:ClientId"] = "app",
        ["Discord:ClientSecret"] = "app's secret",
        ["People:ErasureGraceDays"] = "14",
    });

    private static List<string> Forms(IdentitySite site) =>
        [.. from endpoint in site.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            where endpoint.Metadata.GetMetadata<PageRoute>() is not null
                && endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods.Contains("POST") == true
            let path = $"/{endpoint.RoutePattern.RawText!.Trim('/')}"
            where !path.Contains("{*", StringComparison.Ordinal)
            select Parameter.Replace(
                path, match => match.Value.Contains(":guid", StringComparison.Ordinal) ? Guid.CreateVersion7().ToString() : "nothing")];
}
