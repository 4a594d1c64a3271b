using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Stoa.Assistants.Auth;
using Stoa.Assistants.Documents.Crawling;
using Stoa.Assistants.Users;
using Stoa.Assistants.Wire;
using Stoa.Platform.Http;

namespace Stoa.Assistants.Documents;

/// <summary>The background service's routes about documents. What they accept is a job before they answer.</summary>
internal static class DocumentBackgroundApi
{
    /// <summary>Below <c>/background</c>.</summary>
    public static void MapDocumentBackground(this IEndpointRouteBuilder background)
    {
        var routes = background.MapGroup("").WithTags("Background").RequireBackgroundCaller().WithMetadata(WireTexts.Background);
        routes.MapPost("/parse_website", ParseAsync).WithSummary("Read the website of a company");
        routes.MapPost("/create_document_from_website", CreateAsync).WithSummary("Read a website");
        routes.MapPost("/update_document", UpdateAsync).WithSummary("Read a page again, or write a new edition of a text");
    }

    internal static async Task<Ok<SuccessText>> ParseAsync(
        Body<CompanyWebsite> body, HttpContext context, AssistantsDb db, UserStore users, DocumentStore documents, CancellationToken ct)
    {
        var (url, userId, companyId) = body.Value;
        if (companyId is { } company && !await db.Companies.AnyAsync(row => row.Id == company, ct))
        {
            throw Failure.NotFound("company");
        }
        return await ReadAsync(context, users, documents, userId, url, companyId, ct);
    }

    internal static Task<Ok<SuccessText>> CreateAsync(
        Body<Website> body, HttpContext context, UserStore users, DocumentStore documents, CancellationToken ct) =>
        ReadAsync(context, users, documents, body.Value.UserId, body.Value.Url, companyId: null, ct);

    internal static async Task<Ok<SuccessText>> UpdateAsync(
        Body<Edition> body, HttpContext context, UserStore users, DocumentStore documents, CancellationToken ct)
    {
        var (documentId, userId, edition) = body.Value;
        var user = await users.FindAsync(userId, ct) ?? throw ResourcesApi.NotTheirs();
        var document = await documents.FindAsync(userId, documentId, ct) ?? throw ResourcesApi.NotTheirs();
        context.Response.TellJob(await documents.UpdateAsync(user, document, edition, ct)
            ?? throw Failure.Invalid("invalid inputs", "edition"));
        return TypedResults.Ok(new SuccessText("ok"));
    }

    private static async Task<Ok<SuccessText>> ReadAsync(
        HttpContext context, UserStore users, DocumentStore documents, string userId, string url, int? companyId, CancellationToken ct)
    {
        var user = await users.FindAsync(userId, ct) ?? throw Failure.NotFound("user");
        context.Response.TellJob(await documents.ReadWebsiteAsync(user, PageAddress.Typed(url), companyId, ct));
        return TypedResults.Ok(new SuccessText("ok"));
    }

    internal sealed record CompanyWebsite(string Url, string UserId, int? CompanyId) : IArguments<CompanyWebsite>
    {
        public static CompanyWebsite Read(Fields fields)
        {
            var company = fields.Has("company_pk") || fields.IsDocument
                ? fields.OptionalInteger("company_pk") : throw fields.Missing("company_pk");
            return new(fields.Text("website_url", PageAddress.Longest), fields.Text("user_id", Fields.ShortText), company);
        }
    }

    internal sealed record Website(string Url, string UserId) : IArguments<Website>
    {
        public static Website Read(Fields fields) =>
            new(fields.Text("website_url", PageAddress.Longest), fields.Text("user_id", Fields.ShortText));
    }

    internal sealed record Edition(int DocumentId, string UserId, string? Text) : IArguments<Edition>
    {
        public static Edition Read(Fields fields) => new(
            fields.Integer("document_pk"), fields.Text("user_id", Fields.ShortText), fields.OptionalText("edition", most: 4 << 20));
    }
}
