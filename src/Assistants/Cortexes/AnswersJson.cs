using System.Text.Json.Serialization;
using Stoa.Assistants.Companies;
using Stoa.Assistants.Titles;
using Stoa.Assistants.Todos;

namespace Stoa.Assistants.Cortexes;

/// <summary>What models answer: nothing may be missing, null or of another type, and what was not asked for is passed over.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(FoundTodos))]
[JsonSerializable(typeof(SessionName))]
[JsonSerializable(typeof(TitleAndSummary))]
[JsonSerializable(typeof(RescheduleDecision))]
[JsonSerializable(typeof(CompanyFacts))]
[JsonSerializable(typeof(CompanyDescription))]
internal sealed partial class AnswersJson : JsonSerializerContext;
