using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Completions;
using Stoa.Gateway.Providers;
using Stoa.Gateway.Uploads;
using Stoa.Platform.Http;

namespace Stoa.Gateway.PassThrough;

/// <summary>
/// Endpoints of OpenAI's API that Stoa has no model of: the request goes to the provider as it came, but for the model's name, and its
/// answer comes back as it is. Calls are limited and recorded like all others.
/// </summary>
internal sealed class PassThroughApi(
    CallGate gate, CallTargets targets, CallFrame frame, RawForward forward, CallMeter meter, TimeProvider time)
{
    private static readonly (string Path, string Operation, string Summary)[] Endpoints =
    [
        ("/completions", "text_completion", "Continue a text (legacy)"),
        ("/moderations", "moderation", "Judge texts and pictures"),
        ("/images/generations", "image_generation", "Make pictures"),
        ("/audio/speech", "speech", "Speak a text"),
    ];

    public static void Map(IEndpointRouteBuilder routes)
    {
        foreach (var (path, operation, summary) in Endpoints)
        {
            var surface = SurfaceOf(operation);
            routes.MapPost(path, (HttpContext context, PassThroughApi api) => api.PassAsync(context, surface, path))
                .WithTags("Pass-through").WithSummary(summary).Accepts<Request>("application/json");
        }
        const string transcriptions = "/audio/transcriptions";
        var transcription = SurfaceOf("transcription");
        routes.MapPost(
            transcriptions, (HttpContext context, PassThroughApi api) => api.PassFormAsync(context, transcription, transcriptions))
            .WithTags("Pass-through").WithSummary("Write down what is said: a form with file and model")
            .TakesForm(
                new("file", "The recording", IsFile: true, IsRequired: true),
                new("model", "provider/model, or a bare model name that a provider lists", IsRequired: true),
                new("language", "Of the recording"), new("prompt", "What it is about"),
                new("response_format", "json, text, srt, verbose_json or vtt"),
                new("temperature", "0 to 1"));
    }

    private static Surface SurfaceOf(string operation) => ChatApi.OpenAi with { Name = $"openai.{operation}", Operation = operation };

    private async Task PassAsync(HttpContext context, Surface surface, string path)
    {
        var started = time.GetTimestamp();
        var key = gate.Authenticate(context.Request);
        using var body = await RequestBody.ReadAsync(context.Request);
        var outline = RequestOutline.Read(body.Span);
        var wishes = CallWishes.Of(context.Request);
        var target = targets.Find(key, outline.ModelName(body.Span), wishes);
        var admission = await gate.AdmitAsync(context, surface.Limits, key, outline.EstimatedInput + outline.MaxOutput);
        var call = new GatewayCall(surface, key, target, outline, admission, context.RequestId(), started) { Path = path, Wishes = wishes };
        await RunAsync(context, call, outline.MaxOutput, async client =>
        {
            if (outline.IsStream)
            {
                await forward.AnswerAsync(context, call, body, outline);
                return;
            }
            using var renamed = BodyChanges.Rename(body.Span, outline, target);
            await AskAsync(context, call, client, call.RequestTo(client.UriOf(path), (renamed ?? body).Memory, isStream: false));
        });
    }

    private async Task PassFormAsync(HttpContext context, Surface surface, string path)
    {
        var started = time.GetTimestamp();
        var key = gate.Authenticate(context.Request);
        var form = await ModelForm.ReadAsync(context.Request);
        var wishes = CallWishes.Of(context.Request);
        var target = targets.Find(key, System.Text.Encoding.UTF8.GetBytes(form.Model), wishes);
        var outline =
            RequestOutline.Read(JsonSerializer.SerializeToUtf8Bytes(new() { ["model"] = target.Model }, GatewayJson.Default.JsonObject));
        var admission = await gate.AdmitAsync(context, surface.Limits, key, tokens: 0);
        var call = new GatewayCall(surface, key, target, outline, admission, context.RequestId(), started) { Wishes = wishes };
        await RunAsync(context, call, maxOutput: 0, async client =>
        {
            var (type, body) = await form.WriteAsync(target.Model);
            await AskAsync(context, call, client, call.RequestTo(client.UriOf(path), body, isStream: false, type));
        });
    }

    private Task RunAsync(HttpContext context, GatewayCall call, long maxOutput, Func<ProviderClient, Task> ask) =>
        frame.RunAsync(context, call, maxOutput, () => ask(
            call.Target.Provider is { Client: { } client, Kind.Dialect: Dialect.OpenAi }
                ? client
                : throw new Failure(
                    FailureKind.NotFound, "unsupported_endpoint", $"The provider {call.Target.Provider.Name} has no such endpoint",
                    [new("model", "not supported")])));

    private async Task AskAsync(HttpContext context, GatewayCall call, ProviderClient client, ProviderRequest request)
    {
        try
        {
            using var exchange = await client.SendAsync(request, context.RequestAborted);
            call.FirstByte = time.GetTimestamp();
            using var answer = await exchange.ReadAllAsync();
            var type = exchange.ContentType ?? "application/json";
            var isJson = type.StartsWith("application/json", StringComparison.OrdinalIgnoreCase);
            call.Usage = (isJson ? OpenAiRaw.Instance.ReadUsage(answer.Span) : null) ?? new(0, 0);
            call.Attempts = request.Attempts;
            meter.Succeeded(call);
            AnswerHeaders.Write(context.Response, call, time);
            context.Response.ContentType = type;
            context.Response.ContentLength = answer.Length;
            await context.Response.BodyWriter.WriteAsync(answer.Memory, context.RequestAborted);
        }
        finally
        {
            call.Attempts = request.Attempts;
        }
    }

    internal sealed record Request(
        [property: Required, Description("provider/model, or a bare model name that a provider lists")] string Model);
}
