using System.Text.Json.Serialization;
using Stoa.Gateway.Alerts;
using Stoa.Gateway.Runs;

namespace Stoa.Gateway.Delivery;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(QueuedRun))]
[JsonSerializable(typeof(RunQueued))]
[JsonSerializable(typeof(RunRequest))]
[JsonSerializable(typeof(TellAlerts))]
[JsonSerializable(typeof(SendPush))]
[JsonSerializable(typeof(ForgetDelivery))]
[JsonSerializable(typeof(PushNote))]
[JsonSerializable(typeof(QueueState))]
[JsonSerializable(typeof(PushApi.Published))]
[JsonSerializable(typeof(QueueApi.Replay))]
[JsonSerializable(typeof(QueueApi.Replayed))]
internal sealed partial class DeliveryJson : JsonSerializerContext;
