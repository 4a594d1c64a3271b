using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Stoa.Assistants.Documents.Chunking;
using Stoa.Assistants.Documents.Contents;
using Stoa.Assistants.Documents.Crawling;
using Stoa.Assistants.Documents.Reading;
using Stoa.Assistants.Documents.Retrieval;
using Stoa.Assistants.Documents.Updates;
using Stoa.Assistants.Documents.Vectors;
using Stoa.Platform;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;
using Stoa.Platform.Jobs.Calendars;

namespace Stoa.Assistants.Documents;

internal static class DocumentServices
{
    public static IServiceCollection AddDocuments(this IServiceCollection services)
    {
        services.AddSettings<DocumentsOptions>(DocumentsOptions.Section);
        services.AddSingleton<IValidateOptions<DocumentsOptions>, DocumentsOptionsValidator>();
        services.AddJson(DocumentsJson.Default);
        services.AddSingleton<PdfText>();
        services.AddSingleton<FileText>();
        services.AddSingleton<PageFetcher>();
        services.AddSingleton<DocumentVectors>();
        services.AddSingleton<WordSearch>();
        services.AddSingleton<VectorIndex>();
        services.AddSingleton<VectorSearch>();
        services.AddScoped<DocumentSearch>();
        services.AddScoped<ChunkRelevance>();
        services.AddScoped<DocumentContents>();
        services.AddScoped<WebsiteStore>();
        services.AddScoped<PageReading>();
        services.AddScoped<DocumentJobs>();
        services.AddScoped<DocumentStore>();
        services.AddScoped<ChunkStore>();
        services.AddScoped<Descriptions>();
        services.AddJob<ReadWebsite, ReadWebsiteHandler>(ReadWebsite.Kind, DocumentsJson.Default.ReadWebsite, ReadWebsiteHandler.Rules);
        services.AddJob<RefreshPage, RefreshPageHandler>(RefreshPage.Kind, DocumentsJson.Default.RefreshPage, RefreshPageHandler.Rules);
        services.AddJob<EmbedDocument, EmbedDocumentHandler>(
            EmbedDocument.Kind, DocumentsJson.Default.EmbedDocument, EmbedDocumentHandler.Rules);
        services.AddJob<TidyDocuments, TidyDocumentsHandler>(
            TidyDocuments.Kind, DocumentsJson.Default.TidyDocuments, ScheduleRules.Default);
        services.AddJob<IndexVectors, IndexVectorsHandler>(
            IndexVectors.Kind, DocumentsJson.Default.IndexVectors, IndexVectorsHandler.Rules);
        services.AddSchedule(IndexVectors.Kind, new IndexVectors(), IndexVectors.Every);
        return services.AddSchedule(TidyDocuments.Kind, new TidyDocuments(), TidyDocuments.Every);
    }

    /// <summary>Below <c>/assistants</c>.</summary>
    public static void MapDocuments(this IEndpointRouteBuilder surface)
    {
        surface.MapResources();
        surface.MapDocumentCallbacks();
    }
}
