using System.Text.Json.Serialization;
using Stoa.Assistants.Documents.Crawling;
using Stoa.Assistants.Documents.Retrieval;
using Stoa.Assistants.Documents.Updates;

namespace Stoa.Assistants.Documents;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ReadWebsite))]
[JsonSerializable(typeof(RefreshPage))]
[JsonSerializable(typeof(EmbedDocument))]
[JsonSerializable(typeof(TidyDocuments))]
[JsonSerializable(typeof(IndexVectors))]
[JsonSerializable(typeof(ResourcesApi.DocumentList))]
[JsonSerializable(typeof(ResourcesApi.FoundList))]
[JsonSerializable(typeof(ResourcesApi.ResourceKey))]
[JsonSerializable(typeof(ResourcesApi.Deleted))]
[JsonSerializable(typeof(DocumentCallbacksApi.DocumentKey))]
[JsonSerializable(typeof(DocumentCallbacksApi.ChunkKey))]
[JsonSerializable(typeof(DocumentCallbacksApi.RetrievedList))]
internal sealed partial class DocumentsJson : JsonSerializerContext;
