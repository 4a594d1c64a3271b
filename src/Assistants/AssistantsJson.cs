using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Stoa.Assistants.Cortexes;
using Stoa.Assistants.Jobs;
using Stoa.Assistants.Live;
using Stoa.Assistants.Titles;
using Stoa.Assistants.Todos;
using Stoa.Assistants.Wire;

namespace Stoa.Assistants;

/// <summary>What the module's own routes and jobs read and write; a feature with many shapes has a context of its own.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(JsonNode))]
[JsonSerializable(typeof(Success))]
[JsonSerializable(typeof(SuccessText))]
[JsonSerializable(typeof(SummarizeExecution))]
[JsonSerializable(typeof(NameSession))]
[JsonSerializable(typeof(ExtractTodos))]
[JsonSerializable(typeof(RescheduleTodo))]
[JsonSerializable(typeof(SelectQuietExecutions))]
[JsonSerializable(typeof(SelectOverdueTodos))]
[JsonSerializable(typeof(ForgetLiveEvents))]
[JsonSerializable(typeof(ForgetGiven))]
[JsonSerializable(typeof(JobsApi.JobStatus))]
[JsonSerializable(typeof(TodoPage))]
[JsonSerializable(typeof(TodoMade))]
[JsonSerializable(typeof(TodosApi.Marked))]
[JsonSerializable(typeof(TodosApi.Deleted))]
[JsonSerializable(typeof(TodoCallbacksApi.SelectedExecutions))]
[JsonSerializable(typeof(TodoCallbacksApi.SelectedTodos))]
[JsonSerializable(typeof(TodoCallbacksApi.MarkedExecution))]
[JsonSerializable(typeof(TodoCallbacksApi.Moved))]
internal sealed partial class AssistantsJson : JsonSerializerContext;
