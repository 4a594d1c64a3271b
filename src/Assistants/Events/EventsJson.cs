using System.Text.Json.Serialization;
using Stoa.Assistants.Push;

namespace Stoa.Assistants.Events;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(EmailAnswer))]
[JsonSerializable(typeof(NotificationAnswer))]
[JsonSerializable(typeof(EmailMessage))]
[JsonSerializable(typeof(NotificationMessage))]
[JsonSerializable(typeof(WriteTodoEmail))]
[JsonSerializable(typeof(WriteReminderEmail))]
[JsonSerializable(typeof(WriteDailyNotification))]
[JsonSerializable(typeof(WriteCalendarNotification))]
[JsonSerializable(typeof(DeliverEvent))]
[JsonSerializable(typeof(RunLocalHours))]
[JsonSerializable(typeof(CheckPurchases))]
[JsonSerializable(typeof(DeviceApi.DeviceAnswer))]
[JsonSerializable(typeof(EventApi.EventAnswer))]
[JsonSerializable(typeof(SchedulerApi.UserIds))]
[JsonSerializable(typeof(SchedulerApi.PurchasePks))]
[JsonSerializable(typeof(SchedulerApi.SuggestionPks))]
[JsonSerializable(typeof(SchedulerApi.Configured))]
[JsonSerializable(typeof(NotificationSettingsApi.NotificationSettings))]
internal sealed partial class EventsJson : JsonSerializerContext;
