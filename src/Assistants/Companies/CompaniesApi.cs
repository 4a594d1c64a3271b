using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Stoa.Assistants.Auth;
using Stoa.Assistants.Documents;
using Stoa.Assistants.Documents.Crawling;
using Stoa.Assistants.Users;
using Stoa.Assistants.Wire;
using Stoa.Platform.Http;

namespace Stoa.Assistants.Companies;

/// <summary>What a user works for.</summary>
internal static class CompaniesApi
{
    public static void MapCompanies(this IEndpointRouteBuilder surface)
    {
        var companies = surface.MapGroup("/company").WithTags("user").RequireMojodexUser();
        companies.MapPut("", SetAsync).WithSummary("Set the company from its website, which is read in the background");
        companies.MapPost("", CorrectAsync).WithSummary("Correct what is known of the company");
    }

    internal static async Task<Ok<CompanyView>> SetAsync(
        Body<NewCompany> body, MojodexCaller caller, HttpContext http, UserStore users,
        CompanyStore companies, PageFetcher pages, CancellationToken ct)
    {
        var user = await users.FindAsync(caller.UserId!, ct) ?? throw UserStore.Gone();
        var page = await HomePageAsync(body.Value.WebsiteUrl, pages, ct);
        var facts = await companies.DescribeAsync(user, page, ct);
        var (company, job) = await companies.SetAsync(user, page.Url, facts, ct);
        http.Response.TellJob(job);
        return TypedResults.Ok(ViewOf(company));
    }

    internal static async Task<Ok<CompanyView>> CorrectAsync(
        Body<Correction> body, MojodexCaller caller, UserStore users, CompanyStore companies, CancellationToken ct)
    {
        var user = await users.FindAsync(caller.UserId!, ct) ?? throw UserStore.Gone();
        var company = await companies.FindAsync(user, ct) ?? throw Failure.Invalid("The user has no company", code: "no_company");
        return TypedResults.Ok(ViewOf(body.Value is { Feedback: { } feedback, IsCorrect: not true }
            ? await companies.CorrectAsync(user, company, feedback, ct)
            : company));
    }

    private static async Task<HomePage> HomePageAsync(string typed, PageFetcher pages, CancellationToken ct)
    {
        try
        {
            var url = PageAddress.Typed(typed);
            return await pages.FetchAsync(new(url), known: null, ct) is { Page: { } page }
                ? new(url, page.Readable.Title, page.Readable.Text) : throw NoUrl();
        }
        catch (Failure invalid) when (invalid.Code == "invalid_url")
        {
            throw NoUrl();
        }
    }

    private static CompanyView ViewOf(CompanyRow company) => new(company.Id, company.Emoji, company.Name ?? "", company.Description);

    private static Failure NoUrl() => Failure.Invalid("The url is not valid", "website_url");

    internal sealed record CompanyView(int CompanyPk, string? CompanyEmoji, string CompanyName, string? CompanyDescription);

    internal sealed record NewCompany(string WebsiteUrl) : IArguments<NewCompany>
    {
        public static NewCompany Read(Fields fields) => new(fields.Text("website_url", PageAddress.Longest));
    }

    internal sealed record Correction(string? Feedback, bool? IsCorrect) : IArguments<Correction>
    {
        public static Correction Read(Fields fields) => new(fields.OptionalText("feedback", 10_000), fields.OptionalFlag("correct"));
    }
}

/// <summary>What a company says of itself first.</summary>
internal sealed record HomePage(string Url, string Title, string Text);
