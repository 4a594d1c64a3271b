using System.Text;
using System.Text.Json.Nodes;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Completions;
using Stoa.Gateway.Dialects;
using Stoa.Gateway.Embeddings;
using Stoa.Gateway.Providers;
using Stoa.Gateway.Providers.Demo;
using Stoa.Gateway.Runs.Answers;
using Stoa.Gateway.Runs.Requests;
using Stoa.Gateway.Uploads;
using Stoa.Platform.Egress;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Runs;

/// <summary>
/// Runs of agents whose model answers with pictures or a vector, or writes down what is said. Prompt, variables, limits, history and usage
/// are those of any run; tools, structured answers and other models in its place are not.
/// </summary>
internal sealed class MediaRuns(ModelSteps models, PublicFiles files, GuardedClient web)
{
    private const int MaxImages = 10;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>What is a parameter of a picture, besides what the model's document names.</summary>
    private static readonly string[] Shapes = ["size", "quality", "style", "aspect_ratio", "image_size", "dimensions"];

    public static bool Answers(string type) => type is "image" or "embedding";

    /// <summary>The same, and models that write down what is said.</summary>
    public static bool Answers(Run run) => Answers(run.Plan.Type) || run.Choice.Target.Provider.Kind.OnlyListens;

    /// <exception cref="Failure">The provider has nothing of the kind, or did not answer.</exception>
    public Task<RunResult> AnswerAsync(Run run, CancellationToken ct) =>
        run.Choice.Target.Provider.Kind.OnlyListens ? ListenAsync(run, ct)
            : run.Plan.Type == "image" ? DrawAsync(run, ct) : EmbedAsync(run, ct);

    private async Task<RunResult> ListenAsync(Run run, CancellationToken ct)
    {
        var parameters = run.Plan.Parameters(run.Choice);
        using var body = new PooledBytes(4 << 10);
        var type = Transcript.Write(run.Input.Audios, body);
        run.Asked = Log(new()
        {
            ["model"] = run.Choice.Model, ["service"] = run.Choice.Service.Name,
            ["response_type"] = "text", ["parameters"] = parameters.DeepClone(),
        });
        var client = run.Choice.Target.Provider.Client!;
        var heard = await models.MeterAsync(run, AskOf(run, ""), async () =>
        {
            using var exchange = await client.SendAsync(
                new(client.UriOf(Transcript.PathOf(run.Choice.Model, parameters)), body.Memory,
                    isStream: false) { ApiKey = run.Choice.ApiKey, ContentType = type }, ct);
            using var whole = await exchange.ReadAllAsync();
            return (Transcript.Read(whole.Memory), new TokenUsage(0, 0));
        }, ct);
        (run.AnswerId, run.Content) = (heard.Id, heard.Text);
        // Where nobody speaks, nothing is written down: that is no fault of the model.
        return StandardAnswer.OfData(run, new() { ["content"] = heard.Text });
    }

    private async Task<RunResult> DrawAsync(Run run, CancellationToken ct)
    {
        var parameters = run.Plan.Parameters(run.Choice);
        var count = (int)Math.Clamp(
            (parameters["number_of_images"] ?? run.Plan.Configured("number_of_images")).AsNumber() ?? 1, 1, MaxImages);
        var request = new ImageRequest(run.Choice.Model, PromptOf(run), count, ShapeOf(run, parameters))
        {
            Pictures = [.. UserTurn.Of(run).Parts.OfType<Part.Image>().Select(picture => picture.Media as Media.Bytes
                ?? throw Failure.Invalid("Pictures for a picture have to be sent as data URIs", "images", "unsupported_media"))],
        };
        run.Asked = Log(new()
        {
            ["model"] = run.Choice.Model, ["service"] = run.Choice.Service.Name, ["response_type"] = "image", ["number_of_images"] = count,
            ["parameters"] = new JsonObject(request.Parameters.Select(one => KeyValuePair.Create(one.Key, (JsonNode?)one.Value))),
        });
        var client = run.Choice.Target.Provider.Client ?? throw Unsupported(run, "pictures");
        var dialect = run.Choice.Target.Provider.Kind.Dialect!.Value;
        if (dialect is not (Dialect.OpenAi or Dialect.Gemini))
        {
            throw Unsupported(run, "pictures");
        }
        var answer = await models.MeterAsync(run, AskOf(run, request.Prompt), async () =>
        {
            using var body = new PooledBytes(4 << 10);
            ImageModels.Write(request, dialect, body);
            var uri = dialect == Dialect.Gemini ? client.GeminiUri(run.Choice.Model, ImageModels.GeminiMethod(run.Choice.Model))
                : run.Choice.Target.Provider.Kind.ImagesAt is { } own ? client.RootUri(own)
                : client.UriOf("/images/generations");
            using var whole = await PostAsync(client, uri, body, run, ct);
            var made = await FetchedAsync(client, ImageModels.Read(whole.Memory, dialect), run, ct);
            return (made, made.Usage);
        }, ct);
        var pictures = new JsonArray();
        foreach (var image in answer.Images)
        {
            pictures.Add((JsonNode)await KeepAsync(run, image, request, ct));
        }
        run.AnswerId = answer.Id;
        run.MadeUrls = new([.. pictures.Objects().Select(picture => (JsonNode)new JsonObject
        {
            ["type"] = "image", ["url"] = picture["permanent_url"]?.DeepClone(), ["permanent_url"] = picture["permanent_url"]?.DeepClone(),
            ["revised_prompt"] = picture["revised_prompt"]?.DeepClone(),
        })]);
        run.Content = string.Join('\n', pictures.Objects().Select(picture => picture.Text("permanent_url")));
        var data = new JsonObject { ["image_urls"] = pictures };
        if (pictures is [JsonObject one])
        {
            // As clients of Gemini's single picture read it.
            foreach (var name in (string[])["revised_prompt", "image_url", "permanent_url"])
            {
                data[name] = one[name]?.DeepClone();
            }
        }
        return StandardAnswer.OfData(run, data);
    }

    /// <summary>With the bytes of those that have to be fetched from the provider.</summary>
    private static async Task<ImageAnswer> FetchedAsync(ProviderClient client, ImageAnswer answer, Run run, CancellationToken ct)
    {
        var images = new List<MadeImage>(answer.Images.Count);
        foreach (var image in answer.Images.Take(MaxImages))
        {
            if (image is not { Path: { } path, Bytes: null })
            {
                images.Add(image);
                continue;
            }
            using var exchange = await client.SendAsync(
                new(client.RootUri($"/v1/media/images/{Uri.EscapeDataString(path)}"), default,
                    isStream: false) { Method = HttpMethod.Get, ApiKey = run.Choice.ApiKey }, ct);
            using var whole = await exchange.ReadAllAsync();
            images.Add(image with { Bytes = whole.Span.ToArray() });
        }
        return answer with { Images = images };
    }

    private async Task<RunResult> EmbedAsync(Run run, CancellationToken ct)
    {
        var text = run.User.Length > 0 ? PromptOf(run) : run.Input.Body.Text("text") ?? "";
        var request = new EmbeddingRequest(
            run.Choice.Model, [new(text.Length > 0 ? text : throw Failure.Invalid("There is no text to embed", "text"), null)])
        {
            Dimensions = (int?)run.Plan.Configured("dimensions").AsNumber() is { } dimensions and > 0 ? dimensions : null,
        };
        run.Asked = Log(new() { ["model"] = run.Choice.Model, ["service"] = run.Choice.Service.Name, ["response_type"] = "embedding" });
        var target = run.Choice.Target;
        var answer = await models.MeterAsync(run, AskOf(run, request.Inputs[0].Text!), async () =>
        {
            if (target.Provider.Client is not { } client)
            {
                var demo = DemoProvider.Embed(request);
                return (demo, demo.Usage);
            }
            using var body = new PooledBytes(4 << 10);
            EmbeddingCalls.Write(request, target, body);
            using var whole = await PostAsync(client, client.EmbeddingsUri(target.Model), body, run, ct);
            var vectors = EmbeddingCalls.Read(whole.Memory, request, target);
            return (vectors, vectors.Usage);
        }, ct);
        var vector = answer.Vectors[0];
        run.Content = $"{vector.Length} dimensions";
        return StandardAnswer.OfData(run, new() { ["embedding"] = new JsonArray([.. vector.Select(number => (JsonNode)number)]) });
    }

    private static byte[] Log(JsonObject asked) => Encoding.UTF8.GetBytes(asked.Compact());

    private static async Task<PooledBytes> PostAsync(ProviderClient client, Uri uri, PooledBytes body, Run run, CancellationToken ct)
    {
        using var exchange = await client.SendAsync(new(uri, body.Memory, isStream: false) { ApiKey = run.Choice.ApiKey }, ct);
        return await exchange.ReadAllAsync();
    }

    private static ModelAsk AskOf(Run run, string prompt) => new(
        run.Choice.Target,
        new() { Model = run.Choice.Model, Source = Dialect.OpenAi, Turns = [new(TurnRole.User, [new Part.Text(prompt)])], MaxOutput = 0 })
    {
        ApiKey = run.Choice.ApiKey,
    };

    /// <summary>What the agent says of all pictures, and what the user wants of this one.</summary>
    private static string PromptOf(Run run) =>
        run.TimelessSystemText.Trim() is { Length: > 0 } prompt ? $"{prompt}\n\n{run.User}" : run.User;

    private static Dictionary<string, string> ShapeOf(Run run, JsonObject parameters)
    {
        var shape = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var name in Shapes)
        {
            if ((parameters[name] ?? run.Plan.Configured(name)).AsText() is { } value and not "default")
            {
                shape[name] = value;
            }
        }
        return shape;
    }

    /// <summary>A provider keeps its pictures for an hour; ours stay.</summary>
    private async Task<JsonObject> KeepAsync(Run run, MadeImage image, ImageRequest request, CancellationToken ct)
    {
        var path = await BytesOf(image, ct) is { } bytes ? await files.SaveAsync(run.Request.OrganizationId, bytes, ct) : null;
        var permanent = path is null ? image.Address : files.AddressOf(path);
        return new()
        {
            ["revised_prompt"] = image.RevisedPrompt,
            ["image_url"] = image.Address ?? permanent,
            ["permanent_url"] = permanent,
            ["size"] = request.Parameter("size", "dimensions", "image_size"),
        };
    }

    private async Task<Stream?> BytesOf(MadeImage image, CancellationToken ct)
    {
        if (image.Bytes is { } bytes)
        {
            return new MemoryStream(bytes, writable: false);
        }
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, image.Address);
            var answer = await web.SendAsync(request, new(PublicFiles.MaxBytes, Patience), ct);
            return answer.Status == System.Net.HttpStatusCode.OK ? new MemoryStream(answer.Body.ToArray(), writable: false) : null;
        }
        catch (Failure)
        {
            // The picture is there; only it will not stay.
            return null;
        }
    }

    private static Failure Unsupported(Run run, string what) => new(
        FailureKind.NotFound, "unsupported_endpoint",
        $"The provider {run.Choice.Target.Provider.Name} makes no {what}", [new("model", "not supported")]);
}
