using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Stoa.Assistants.Auth;
using Stoa.Assistants.Documents.Crawling;
using Stoa.Assistants.Documents.Reading;
using Stoa.Assistants.Documents.Retrieval;
using Stoa.Assistants.Users;
using Stoa.Assistants.Wire;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Documents;

/// <summary>A user's own documents: websites, files, texts.</summary>
internal static class ResourcesApi
{
    private const int LongestEdition = 4 << 20;

    // They stand in each prompt.
    private const int LongestDescription = 20_000;

    private const string UserDescription = "user_description";
    private const string CompanyDescription = "company_description";

    public static void MapResources(this IEndpointRouteBuilder routes)
    {
        var resources = routes.MapGroup("/resource").WithTags("Documents").RequireMojodexUser();
        resources.MapPut("/", AddAsync).WithSummary("Add a website, a text or a file").DisableAntiforgery();
        resources.MapPost("/", UpdateAsync).WithSummary("Read a page again, or write a new edition of a text");
        resources.MapGet("/", ListAsync).WithSummary("List documents");
        resources.MapDelete("/", DeleteAsync).WithSummary("Delete a document");
        resources.MapGet("/search", SearchAsync).WithSummary("Find what the documents say about a question");
    }

    internal static async Task<Ok<SuccessText>> AddAsync(
        Form<NewResource> form, MojodexCaller caller, HttpContext context,
        UserStore users, DocumentStore documents, PageFetcher fetcher, FileText files,
        IOptions<DocumentsOptions> options, CancellationToken ct)
    {
        var user = await users.FindAsync(caller.UserId!, ct) ?? throw Failure.NotFound("User");
        var job = form switch
        {
            { Files: [var file, ..] } => await AddFileAsync(user, file, form.Value.Name, documents, files, options.Value, ct),
            { Value.WebsiteUrl: { } url } => await AddWebsiteAsync(user, url, documents, fetcher, ct),
            { Value.Text: { } text } => await AddTextAsync(user, form.Value.Name, text, documents, ct),
            _ => throw Failure.Invalid("Missing field 'website_url'", "website_url"),
        };
        context.Response.TellJob(job);
        return TypedResults.Ok(new SuccessText("ok"));
    }

    internal static async Task<Ok<ResourceKey>> UpdateAsync(
        Body<Edition> body, MojodexCaller caller, HttpContext context, UserStore users,
        DocumentStore documents, Descriptions descriptions, CancellationToken ct)
    {
        var user = await users.FindAsync(caller.UserId!, ct) ?? throw NotTheirs();
        if (body.Value.Document is UserDescription or CompanyDescription)
        {
            var text = body.Value.Text ?? throw Failure.Invalid("Missing field 'edition'", "edition");
            if (text.Length > LongestDescription)
            {
                throw Failure.Invalid("Invalid field 'edition'", "edition");
            }
            await descriptions.WriteAsync(user, body.Value.Document == CompanyDescription, text, ct);
            return TypedResults.Ok(new ResourceKey(body.Value.Document));
        }
        var document = body.Value.DocumentId is { } id
            && await documents.FindAsync(user.Id, id, ct) is { } found ? found : throw NotTheirs();
        var job = await documents.UpdateAsync(user, document, body.Value.Text, ct)
            ?? throw Failure.Invalid("Missing field 'edition'", "edition");
        context.Response.TellJob(job);
        return TypedResults.Ok(new ResourceKey(document.Id));
    }

    internal static async Task<Ok<DocumentList>> ListAsync(
        Query<ListQuery> query, MojodexCaller caller, UserStore users, DocumentStore documents, CancellationToken ct)
    {
        var (isLearned, limit, offset) = query.Value;
        var found = await documents.ListAsync(caller.UserId!, isLearned ? "learned_by_mojo" : "webpage", limit, offset, ct);
        var listed = found.ConvertAll(document => new Document(
            document.Id, document.Type, document.Name, document.Author, document.CreatedAt,
            document.UpdatedAt, document.Text) { Error = document.Error });
        if (isLearned && offset == 0 && await users.FindAsync(caller.UserId!, ct) is { } user)
        {
            listed.AddRange(Descriptions.Of(user));
        }
        // A website that could not be read has no document that could say so.
        return TypedResults.Ok(
            new DocumentList(listed) { Websites = isLearned || offset > 0 ? null : await documents.WebsitesAsync(caller.UserId!, ct) });
    }

    internal static async Task<Ok<Deleted>> DeleteAsync(
        Query<DeleteQuery> query, MojodexCaller caller, DocumentStore documents, CancellationToken ct) =>
        await documents.DeleteAsync(caller.UserId!, query.Value.DocumentId, ct)
            ? TypedResults.Ok(new Deleted(query.Value.DocumentId.ToString(CultureInfo.InvariantCulture)))
            : throw NotTheirs();

    internal static async Task<Ok<FoundList>> SearchAsync(
        Query<SearchQuery> query, MojodexCaller caller, HttpContext context, UserStore users, DocumentSearch search, CancellationToken ct)
    {
        var user = await users.FindAsync(caller.UserId!, ct) ?? throw Failure.NotFound("User");
        var found = await search.FindAsync(user.Id, user.OrganizationId, query.Value.Question, query.Value.TopK, context.RequestId(), ct);
        return TypedResults.Ok(
            new FoundList([.. found.Select(one => new Found(one.Text, one.Source, one.Title, one.Score, one.DocumentId, one.Index))]));
    }

    internal static Failure NotTheirs() => new(FailureKind.NotFound, "not_found", "Document not found for this user");

    /// <summary>Which job does the rest; the bodies have no place for it.</summary>
    internal static void TellJob(this HttpResponse response, JobReceipt job)
    {
        response.Headers["X-Job-Id"] = job.Id.ToString();
        response.Headers.Location = $"/assistants/jobs/{job.Id}";
    }

    private static async Task<JobReceipt> AddWebsiteAsync(
        UserRow user, string typed, DocumentStore documents, PageFetcher fetcher, CancellationToken ct)
    {
        var url = PageAddress.Typed(typed);
        if (await documents.HasWebsiteAsync(user.Id, url, ct))
        {
            throw Failure.Invalid("Website already exist in user's documents", "website_url", "website_exists");
        }
        // What its robots.txt forbids the job will say; there is a website all the same.
        var answer = await fetcher.FetchAsync(new(url), known: null, ct);
        return answer.Page is null && answer.Why != Unfetched.Denied ? throw PageAddress.Invalid()
            : await documents.ReadWebsiteAsync(user, url, companyId: null, ct);
    }

    private static async Task<JobReceipt> AddTextAsync(
        UserRow user, string? name, string text, DocumentStore documents, CancellationToken ct)
    {
        var called = TextCleaning.CleanLine(name ?? "") is { Length: > 0 } given
            ? given : throw Failure.Invalid("Missing field 'name'", "name");
        return (await documents.WriteAsync(user, called, new(called, TextCleaning.Clean(text)), isNew: true, ct)).Job;
    }

    private static async Task<JobReceipt> AddFileAsync(
        UserRow user, IFormFile file, string? name, DocumentStore documents, FileText files, DocumentsOptions options, CancellationToken ct)
    {
        if (file.Length > options.MaxPageKb * 1024L)
        {
            throw new Failure(FailureKind.TooLarge, "too_large", $"A file may have {options.MaxPageKb} KB");
        }
        var kind = FileText.KindOf(file.ContentType, file.FileName)
            ?? throw new Failure(FailureKind.UnsupportedMedia, "unsupported_file", "Files are read as HTML, text, Markdown, PDF and DOCX");
        using var bytes = new MemoryStream((int)file.Length);
        await file.CopyToAsync(bytes, ct);
        var text = await files.ReadAsync(kind, bytes.GetBuffer().AsMemory(0, (int)bytes.Length), charset: null, ct);
        var called = TextCleaning.CleanLine(name ?? Path.GetFileName(file.FileName)) is { Length: > 0 } given ? given : "file";
        return (await documents.WriteAsync(
            user, called, text with { Title = text.Title.Length > 0 ? text.Title : called }, isNew: true, ct)).Job;
    }

    /// <summary>A website, or a text with its name; or a file beside it.</summary>
    internal sealed record NewResource(string? WebsiteUrl, string? Name, string? Text) : IArguments<NewResource>
    {
        public static NewResource Read(Fields fields)
        {
            fields.File("file");
            return new(
                fields.OptionalText("website_url", PageAddress.Longest),
                fields.OptionalText("name", Fields.ShortText), fields.OptionalText("text", LongestEdition));
        }
    }

    /// <param name="Document">A document's number, or what the user's own descriptions are called.</param>
    internal sealed record Edition(int? DocumentId, string? Document, string? Text) : IArguments<Edition>
    {
        public static Edition Read(Fields fields)
        {
            var text = fields.OptionalText("edition", LongestEdition);
            var document = fields.Json("document_pk");
            return document.ValueKind switch
            {
                JsonValueKind.Number when document.TryGetInt32(out var id) => new(id, null, text),
                JsonValueKind.String when int.TryParse(document.GetString(), CultureInfo.InvariantCulture, out var id) =>
                    new(id, null, text),
                JsonValueKind.String when document.GetString() is UserDescription or CompanyDescription =>
                    new(null, document.GetString(), text),
                _ when fields.IsDocument => new(null, null, text),
                _ => throw fields.Wrong("document_pk"),
            };
        }
    }

    internal sealed record ListQuery(bool IsLearned, int Limit, int Offset) : IArguments<ListQuery>
    {
        public static ListQuery Read(Fields fields) =>
            new(fields.Choice("learned_by_mojo", "true", "false") == "true", fields.PageSize("n_resources"), fields.Offset());
    }

    internal sealed record DeleteQuery(int DocumentId) : IArguments<DeleteQuery>
    {
        public static DeleteQuery Read(Fields fields) => new(fields.Integer("document_pk"));
    }

    internal sealed record SearchQuery(string Question, int TopK) : IArguments<SearchQuery>
    {
        private const int UsualResults = 5;

        public static bool HasDatetime => false;

        public static SearchQuery Read(Fields fields)
        {
            var (question, most) = (fields.Text("query", most: 8_000), fields.OptionalInteger("top_k") ?? UsualResults);
            return most is >= 1 and <= DocumentSearch.MostResults ? new(question, most) : throw fields.Wrong("top_k");
        }
    }

    /// <param name="DocumentPk">As it was sent: a number, or the name of a description.</param>
    internal sealed record ResourceKey(JsonNode DocumentPk);

    internal sealed record DocumentList(IReadOnlyList<Document> Documents)
    {
        /// <summary>On the first page of web pages.</summary>
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public IReadOnlyList<ListedWebsite>? Websites { get; init; }
    }

    /// <param name="DocumentPk">A number, or the name of a description.</param>
    internal sealed record Document(
        JsonNode DocumentPk, string DocumentType, string Name, string? Author,
        DateTimeOffset CreationDate, DateTimeOffset LastUpdateDate, string Text)
    {
        /// <summary>Why it is not up to date, or not found as well as it could be.</summary>
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public string? Error { get; init; }
    }

    internal sealed record Deleted(string DocumentPk);

    internal sealed record FoundList(IReadOnlyList<Found> DocumentChunks);

    internal sealed record Found(string Text, string Source, string Title, double Score, int DocumentPk, int ChunkIndex);
}
